// Which typographic characters does the connector write as GSM-7 ones before it sends?
//
// As connector/domain/segments.py does it: a curly quote alone must not show the rep a price for UCS-2. What has no
// faithful equivalent (ç, Cyrillic, emoji) stays.

import { measure } from "./segments";

const SPELLED: Readonly<Record<string, string>> = {
  "'": "‘’‚‛′‵`´ʹʻʼʽˈˋ‹›",
  '"': "“”„‟″‶«»〝〞",
  "-": "‐‑‒–—―⁃−﹘﹣•‣◦∙",
  "...": "…",
  "..": "‥",
  ".": "․",
  " ": "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
  "\n": "\u000b\u0085\u2028\u2029",
  "": "\u00ad\u200b\u2060\ufeff",
  "/": "⁄∕",
  "*": "∗",
  "~": "˜∼",
  "^": "ˆ",
  "|": "¦",
  x: "×",
  "(C)": "©",
  "(R)": "®",
  "(TM)": "™",
  "No.": "№",
  fi: "ﬁ",
  fl: "ﬂ",
  ff: "ﬀ",
  ffi: "ﬃ",
  ffl: "ﬄ",
  ij: "ĳ",
  IJ: "Ĳ",
};
const FRACTIONS = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞";
const MIXED_NUMBER = new RegExp(`(?<=[0-9])(?=[${FRACTIONS}])`, "gu");

const REPLACED: ReadonlyMap<string, string> = new Map([
  // Full-width letters, digits and marks stand 0xFEE0 above ASCII; the full-width backtick is a quote.
  ...Array.from({ length: 0x7f - 0x21 }, (_, index) => String.fromCharCode(0x21 + index))
    .filter((char) => char !== "`")
    .map((char) => [String.fromCharCode(char.charCodeAt(0) + 0xfee0), char] as const),
  ...Object.entries(SPELLED).flatMap(([spelled, chars]) => Array.from(chars, (char) => [char, spelled] as const)),
  ["\uff40", "'"] as const,
  ...Array.from(FRACTIONS, (char) => [char, char.normalize("NFKC").replace("⁄", "/")] as const),
]);

/** Replace what has an equivalent, in a text that GSM-7 alone cannot carry. */
export function replaceSmartCharacters(text: string): string {
  if (measure(text).encoding === "gsm7") return text;
  const composed = text.normalize("NFC").replace(MIXED_NUMBER, " ");
  return Array.from(composed, (char) => REPLACED.get(char) ?? char)
    .join("")
    .normalize("NFC");
}
