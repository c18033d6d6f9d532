"""What our codec costs beside betterproto2's own, on one UserInfo of some 280 bytes.

    ./pants run tests/bench:codec
    ./pants run tests/bench:codec -- --json result.json

The contestants take turns, so that a busy machine slows all of them alike; times are CPU time of
the best round. The gate is the round trip, encode and decode, in multiples of betterproto2's.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

import orjson

from api.descriptors import descriptor_set
from api.user.any.v1 import UserInfo
from pkg.proto.codec import Codec
from pkg.proto.json_fast import FastJson
from pkg.proto.json_in import JsonReader, parse
from pkg.proto.json_out import JSON_OPTIONS, JsonWriter
from pkg.proto.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NAME = "user.any.v1.UserInfo"
TARGET = 12.0
STEPS = ("encode", "decode", "JSON out", "JSON in")


@dataclass(frozen=True)
class Contestant:
    """Functions without arguments, one per step that it takes part in."""

    name: str
    steps: Mapping[str, Callable[[], Any]]


def user() -> UserInfo:
    """Every field set, as a real user's are."""
    return UserInfo(
        id=123456,
        uid="0190a3c2d4e57f708192a3b4c5d6e7f8",
        user_name="administrator",
        nick_name="Administrator",
        birth="2006-01-02",
        avatar="/v1/avatar/0190a3c2d4e57f708192a3b4c5d6e7f8",
        role_id="admin",
        role_name="Administrator",
        phone="13800000000",
        wechat="wechat-identity",
        email="administrator@example.org",
        state=1,
        motto="the quick brown fox jumps over the lazy dog, twice a day, always on Sundays",
    )


def contestants() -> list[Contestant]:
    """Ours, its slow road for JSON, betterproto2 and bare upb; all checked to do the same."""
    codec = Codec(Schema(descriptor_set()))
    sent = user()
    encode, decode = codec.encoder(NAME), codec.decoder(NAME)
    dump, to_object = JsonWriter(codec).dumper(NAME), codec.from_upb(NAME)
    fast, slow = FastJson(codec).loader(NAME), JsonReader(codec).loader(NAME)
    if fast is None:
        raise RuntimeError("UserInfo has no fast road; the benchmark wants one")
    message: Any = codec.schema.message(NAME)
    raw, body = bytes(sent), orjson.dumps(dump(sent), option=JSON_OPTIONS)
    upb = message.FromString(raw)
    if not encode(sent) == raw == upb.SerializeToString() or not decode(raw) == sent == fast(
        parse(body)
    ):
        raise RuntimeError("the contestants do not agree")
    return [
        Contestant(
            "ours",
            {
                "encode": lambda: encode(sent),
                "decode": lambda: decode(raw),
                "JSON out": lambda: orjson.dumps(dump(sent), option=JSON_OPTIONS),
                "JSON in": lambda: fast(parse(body)),
            },
        ),
        Contestant("ours, by upb", {"JSON in": lambda: to_object(slow(parse(body)))}),
        Contestant(
            "betterproto2",
            {
                "encode": lambda: bytes(sent),
                "decode": lambda: UserInfo.parse(raw),
                "JSON out": lambda: sent.to_json(include_default_values=True),
                "JSON in": lambda: UserInfo.from_json(body, ignore_unknown_fields=True),
            },
        ),
        Contestant(
            "bare upb",
            {"encode": upb.SerializeToString, "decode": lambda: message.FromString(raw)},
        ),
    ]


def measure(rounds: int, seconds: float) -> dict[str, dict[str, float]]:
    """Microseconds by contestant and step; each round gives each step about `seconds`."""
    field = contestants()
    best: dict[str, dict[str, float]] = {each.name: {} for each in field}
    counts = {
        (each.name, step): _repetitions(call, seconds)
        for each in field
        for step, call in each.steps.items()
    }
    for _ in range(rounds):
        for step in STEPS:
            for each in field:
                if step in each.steps:
                    took = _time(each.steps[step], counts[each.name, step])
                    best[each.name][step] = min(took, best[each.name].get(step, took))
    return best


def _repetitions(call: Callable[[], Any], seconds: float) -> int:
    count = 1
    while (took := _time(call, count) * count / 1e6) < seconds / 4:
        count *= 2
    return max(1, int(count * seconds / took))


def _time(call: Callable[[], Any], count: int) -> float:
    """Microseconds of CPU time per call."""
    started = process_time()
    for _ in range(count):
        call()
    return (process_time() - started) / count * 1e6


def main(arguments: list[str]) -> int:
    """Prints the table and the gate; 1 where the gate is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.03, help="per step and round")
    options = parser.parse_args(arguments)
    best = measure(options.rounds, options.seconds)
    print(f"{'us per call':<14}" + "".join(f"{step:>10}" for step in STEPS))
    for name, times in best.items():
        cells = (f"{times[step]:>10.2f}" if step in times else f"{'-':>10}" for step in STEPS)
        print(f"{name:<14}" + "".join(cells))
    ours, stock = best["ours"], best["betterproto2"]
    ratio = (stock["encode"] + stock["decode"]) / (ours["encode"] + ours["decode"])
    passed = ratio >= TARGET
    print(f"gate codec {ratio:.1f} {TARGET:g} {'pass' if passed else 'fail'}")
    if options.json:
        figures = {"gate": "codec", "value": ratio, "target": TARGET, "microseconds": best}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
