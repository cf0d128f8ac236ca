"""Does the play of gateways tell those who look at what became of their texts from those who do not?"""

from __future__ import annotations

import pytest

from bench import routing
from connector.domain.gateway_book import Preference
from connector.domain.scoring import Scores

HOURS = 0.5


def test_the_routing_bench_leaves_a_silent_gateway_and_loses_less_than_those_who_do_not_look() -> None:
    figures = {figure.name: figure.value for figure in routing.measure(HOURS)}
    for policy in ("fixed priority", "cheapest only"):
        assert figures["delivered, ours, balanced"] > figures[f"delivered, {policy}"]
        assert figures["cost per 1,000 delivered, ours, cheapest"] < figures[f"cost per 1,000 delivered, {policy}"]
        assert figures[f"until 95 % have left the silent one, {policy}"] == 0.4 * HOURS * 3600
    assert figures["until 95 % have left the silent one, ours, balanced"] < 0.4 * HOURS * 3600


def test_the_routing_bench_gives_everybody_the_same_luck() -> None:
    one, again = (routing.play(routing.fixed_priority, 0.2, learns=False) for _ in range(2))
    assert one == again
    assert one.silent == "cedar"


def test_an_oracle_sees_an_outage_in_a_country_and_its_end() -> None:
    sky = routing.Sky(10)
    during, after = (routing.Text("a text", "GB", hour * 3600) for hour in (3, 4))
    assert sky.rate("cedar", during) == 0
    assert sky.rate("cedar", routing.Text("a text", "US", 3 * 3600)) > 0.9
    assert routing.cheapest_oracle(during, Scores(), sky) == "birch"
    assert routing.best_oracle(during, Scores(), sky) == "alder"
    assert routing.cheapest_oracle(after, Scores(), sky) == "cedar"


@pytest.mark.parametrize("prefer", [Preference.CHEAPEST, Preference.BALANCED, Preference.PREMIUM])
def test_an_unknown_field_of_gateways_is_chosen_from_by_price_alone(prefer: Preference) -> None:
    policy = routing.ours(prefer)
    texts = [routing.Text(f"text-{index}", "US", 0.0) for index in range(200)]
    chosen = [policy(text, Scores(), routing.Sky(1)) for text in texts]
    assert chosen.count("dogwood") >= 180, "nothing is known against the cheapest, but for the trials"
