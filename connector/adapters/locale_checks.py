"""Does every text of a journey exist in every language the journey promises?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from connector.adapters.rendering import SUFFIX, locale_of
from connector.adapters.yaml_shapes import listed
from connector.domain.locales import ULTIMATE, fallback_chain


def languages_of(name: str, templates: Mapping[str, str]) -> tuple[str, ...]:
    """Give the locales a text is there in, by file name; the bare file is `en`."""
    return tuple(dict.fromkeys(locale_of(path) or ULTIMATE for path in files_of(name, templates)))


def files_of(name: str, templates: Mapping[str, str]) -> list[str]:
    """Give the files of a text, the one for everybody first."""
    return sorted((path for path in templates if path.partition(".")[0] == name), key=locale_of)


def fallback_of(name: str, locale: str, templates: Mapping[str, str]) -> tuple[str, str | None]:
    """Tell in which language people of a locale get a text, and how that is found: `fr-CA → fr → en`.

    The language is None when there is no text for them at all.
    """
    tried: list[str] = []
    for tag in fallback_chain(locale, ULTIMATE):
        tried.append(tag)
        if f"{name}.{tag}{SUFFIX}" in templates or (tag == ULTIMATE and f"{name}{SUFFIX}" in templates):
            return " → ".join(tried), tag
    return " → ".join(tried), None


def broken_promises(name: str, promised: Sequence[str], templates: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Give what to say of each promised locale in whose language a text is not there, with a suggestion."""
    for locale in promised:
        chain, got = fallback_of(name, locale, templates)
        if got is not None and _language(got) == _language(locale):
            continue
        instead = f"such people get {got} ({chain})" if got else f"such people get none ({chain})"
        yield f"has no {locale} text, which the journey promises: {instead}", f"add templates/{name}.{locale}{SUFFIX}"


def missing_locales(name: str, used: Iterable[str], templates: Mapping[str, str]) -> list[str]:
    """Give the locales that other templates of the same journey have and this one lacks."""
    here = set(_named(name, templates))
    wanted = {locale for other in used for locale in _named(other, templates)}
    return sorted(locale for locale in wanted - here if not _covered(locale, here))


def one_language_only(promised: Sequence[str]) -> tuple[str, str] | None:
    """Say that a text in the journey file itself cannot keep a promise of several languages; None when it can."""
    languages = dict.fromkeys(_language(locale) for locale in promised)
    if len(languages) < 2:
        return None
    return f"is in one language only, and the journey promises {listed(languages)}", "move it to a template"


def _language(locale: str) -> str:
    return locale.partition("-")[0]


def _named(name: str, templates: Mapping[str, str]) -> Iterator[str]:
    return (locale for path in files_of(name, templates) if (locale := locale_of(path)))


def _covered(locale: str, here: set[str]) -> bool:
    return any(locale.startswith(f"{other}-") for other in here)
