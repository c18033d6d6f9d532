from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkg.proto.json_text import parse
from pkg.proto.misfit import DISTINCT, DOCUMENT, SHALLOW, Misfit


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"   ", id="only white space"),
        pytest.param(b"\xef\xbb\xbf{}", id="byte order mark"),
        pytest.param(b"{} {}", id="more than one document"),
        pytest.param(b'{"a":NaN}', id="NaN"),
        pytest.param(b"[Infinity]", id="Infinity"),
        pytest.param(b'{"a":1e400}', id="infinite number"),
        pytest.param(b"1" * 5000, id="integer of thousands of digits"),
        pytest.param(b'["\\ud800"]', id="lone surrogate"),
        pytest.param(b'{"\\udc00":1}', id="lone surrogate in a key"),
        pytest.param(b'"\xff\xfe"', id="not UTF-8"),
        pytest.param(b'["\xed\xa0\x80"]', id="surrogate in UTF-8"),
        pytest.param(b'{"a":1', id="truncated"),
        pytest.param(b"[1,]", id="trailing comma"),
        pytest.param(b"{'a':1}", id="single quotes"),
        pytest.param(b"[01]", id="leading zero"),
        pytest.param(b'"\x01"', id="control character"),
        pytest.param(b"[" * 5000 + b"]" * 5000, id="nested beyond any bound"),
    ],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(Misfit) as caught:
        parse(body)
    assert caught.value.want == DOCUMENT


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":1}',
        b'{"a" :1,"a"\n:2}',
        b'{"a":{"b":1,"b":2}}',
        b'[{"x":"a:b","x":0}]',
        b'{"a":1,"\\u0061":2}',
        b'{"a":[{"k":1}],"a":[]}',
        b'{"a":[],"a":["b"]}',
        b'{"":1,"":2}',
        b'{"a":{},"a":{"b":{"c":1}},"d":":::"}',
    ],
)
def test_a_key_that_comes_twice_is_refused(body: bytes) -> None:
    with pytest.raises(Misfit) as caught:
        parse(body)
    assert caught.value.want == DISTINCT


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":"x:y","b":"\\":","c":"\\\\":1}'.replace(b'"\\\\":1', b'"\\\\"'),
        b'{"url":"http://x/\\": \\":","t":"10:00:00"}',
        b'[{"a":1},{"a":2},[{"a":3}]]',
        b'{"a":{"a":{"a":1}}}',
        b' { "a" : [ 1 , 2.5 , null , true ] } ',
    ],
)
def test_colons_in_texts_are_no_keys(body: bytes) -> None:
    assert parse(body) == json.loads(body)


def test_nesting_is_bounded_at_a_hundred() -> None:
    assert parse(b"[" * 100 + b"]" * 100) is not None
    assert parse(b'{"a":' + b"[" * 99 + b"]" * 99 + b"}") is not None
    for body in (
        b"[" * 101 + b"]" * 101,
        b'{"a":' * 101 + b"1" + b"}" * 101,
        b'{"a":' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"a":' + b"[" * 99 + b"{}" + b"]" * 99 + b"}",
    ):
        with pytest.raises(Misfit) as caught:
            parse(body)
        assert caught.value.want == SHALLOW


def test_a_megabyte_is_refused_as_fast_as_it_is_read() -> None:
    started = time.process_time()
    for body in (
        b'{"a":"' + b'\\":' * 300_000 + b'","b":1,"b":2}',
        b"[" + b'{"a":1},' * 100_000 + b'{"a":1,"a":2}]',
        b'{"n":' + b"9" * 1_000_000 + b"}",
    ):
        with pytest.raises(Misfit):
            parse(body)
    assert time.process_time() - started < 2


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(JSON, st.sampled_from([None, 1]))
def test_every_document_without_twins_is_read(value: Any, indent: int | None) -> None:
    assert parse(json.dumps(value, indent=indent).encode()) == value


@given(st.binary(max_size=200) | st.text('{}[]":,\\a1 \n', max_size=60).map(str.encode))
def test_anything_is_read_or_refused(body: bytes) -> None:
    try:
        found = parse(body)
    except Misfit:
        return
    assert found == json.loads(body)
