"""What every search does."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from pkg.search import (
    And,
    BulkTarget,
    Change,
    Exists,
    Filter,
    Highlight,
    Hit,
    Index,
    Item,
    MigrationError,
    MissingIndexError,
    Not,
    Or,
    Outcome,
    Query,
    Range,
    RefusedError,
    Search,
    Sort,
    Term,
    Terms,
    UnreadableError,
)
from pkg.search.elastic import ElasticSearch
from pkg.search.sqlite import SqliteSearch
from tests.contract import servers
from tests.contract.searches import (
    PEOPLE,
    LatencyOnly,
    Method,
    Operation,
    StatusIsText,
    WithHost,
    forget,
    new_name,
    operations,
    settings,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence


@pytest.fixture
def name() -> str:
    return new_name()


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteSearch]:
    """One file for all tests; any event loop may use it."""
    search = SqliteSearch(tmp_path_factory.mktemp("search") / "search.db")
    asyncio.run(search.start())
    yield search
    asyncio.run(search.stop())


@pytest.fixture(scope="module")
def shared_name() -> Iterator[str]:
    """The name of an index that no test changes."""
    name = new_name()
    yield name
    url = os.environ.get("TEST_ES_URL")
    if url:
        asyncio.run(forget(url, name))


@pytest.fixture(params=["sqlite", pytest.param("server", marks=pytest.mark.integration)])
async def search(
    request: pytest.FixtureRequest, sqlite: SqliteSearch, name: str
) -> AsyncIterator[SqliteSearch | ElasticSearch]:
    """SQLite, and a real Elasticsearch."""
    if request.param == "sqlite":
        yield sqlite
        return
    url = servers.address("TEST_ES_URL")
    async with ElasticSearch(settings(url)) as made:
        yield made
    if "shared" not in request.fixturenames:
        await forget(url, name)


@pytest.fixture
def target(search: SqliteSearch | ElasticSearch) -> BulkTarget:
    """The same as a target of many documents."""
    return search


START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def index(search: Search, name: str) -> Index[Operation]:
    """An index without documents."""
    index = operations(name)
    await search.ensure(index)
    return index


@pytest.fixture
async def people(search: Search, index: Index[Operation]) -> Index[Operation]:
    """An index with those of `PEOPLE`."""
    await fill(search, index, PEOPLE)
    return index


@pytest.fixture
async def shared(search: Search, shared_name: str) -> Index[Operation]:
    """The same for tests that change nothing: to make one takes a server its time."""
    index = operations(shared_name)
    if await search.ensure(index) is Change.CREATED:
        await fill(search, index, PEOPLE)
    return index


async def fill(search: Search, index: Index[Any], documents: dict[str, Any]) -> None:
    await asyncio.gather(
        *(search.put(index, id_, each, visible=True) for id_, each in documents.items())
    )


async def ids(search: Search, index: Index[Any], query: Query) -> list[str]:
    return [hit.id for hit in (await search.search(index, query)).hits]


async def found(search: Search, index: Index[Any], where: Filter) -> str:
    return "".join(await ids(search, index, Query(where=where)))


async def spoken(search: Search, index: Index[Any], text: str, *fields: str) -> str:
    return "".join(sorted(await ids(search, index, Query(text=text, fields=fields))))


async def pages(search: Search, index: Index[Any], query: Query) -> list[list[str]]:
    """The ids of every page, to the last."""
    result = []
    while True:
        page = await search.search(index, query)
        result.append([hit.id for hit in page.hits])
        if page.next is None:
            return result
        query = replace(query, cursor=page.next)


# documents


async def test_what_was_put_is_got_at_once(search: Search, index: Index[Operation]) -> None:
    document = Operation(
        "u1",
        agent="curl",
        method=Method.POST,
        latency=0.25,
        slow=True,
        ip="192.0.2.1",
        resp_body={"code": 0, "data": [1, {"a": None}], "": "x"},
    )

    await search.put(index, "1", document)

    assert await search.get(index, "1") == document


async def test_an_unknown_id_has_no_document(search: Search, index: Index[Operation]) -> None:
    assert await search.get(index, "1") is None
    assert await search.delete(index, "1") is False


async def test_a_document_takes_the_place_of_the_one_with_its_id(
    search: Search, people: Index[Operation]
) -> None:
    await search.put(people, "a", Operation("anna", message="renamed"), visible=True)

    assert await spoken(search, people, "密码") == ""
    assert await spoken(search, people, "renamed") == "a"
    assert await found(search, people, Term("uid", "alice")) == ""
    assert await found(search, people, Term("uid", "anna")) == "a"


async def test_what_was_deleted_is_gone(search: Search, people: Index[Operation]) -> None:
    assert await search.delete(people, "a", visible=True) is True

    assert await search.get(people, "a") is None
    assert await ids(search, people, Query()) == ["b", "c", "d"]
    assert await spoken(search, people, "登录") == "bd"


@pytest.mark.parametrize("id_", ["with space", "密码/..", "?q=1&x#y", "x" * 512, "%2F", "_id", '"'])
async def test_an_id_is_any_text(search: Search, index: Index[Operation], id_: str) -> None:
    await search.put(index, id_, Operation("u1"), visible=True)

    assert await search.get(index, id_) == Operation("u1")
    assert await ids(search, index, Query()) == [id_]
    assert await search.delete(index, id_) is True


@pytest.mark.parametrize("id_", ["", "x" * 513, "密" * 171, "\ud800"])
async def test_what_is_no_id_is_refused(search: Search, index: Index[Operation], id_: str) -> None:
    with pytest.raises(RefusedError) as put:
        await search.put(index, id_, Operation("u1"))
    with pytest.raises(RefusedError) as got:
        await search.get(index, id_)
    with pytest.raises(RefusedError) as deleted:
        await search.delete(index, id_)

    assert {put.value.field, got.value.field, deleted.value.field} == {"id"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("uid", 1),
        ("uid", "\ud800"),
        ("status", "200"),
        ("status", True),
        ("status", 1 << 63),
        ("latency", float("nan")),
        ("latency", float("inf")),
        ("slow", 1),
        ("date_time", datetime(2026, 1, 1)),  # noqa: DTZ001 - what is to be refused
        ("message", b"bytes"),
    ],
)
async def test_a_value_that_does_not_fit_its_field_is_refused(
    search: Search, index: Index[Operation], field: str, value: Any
) -> None:
    with pytest.raises(RefusedError):
        await search.put(index, "1", replace(Operation("u1"), **{field: value}))

    assert await search.get(index, "1") is None


async def test_instants_are_kept_to_the_millisecond(
    search: Search, index: Index[Operation]
) -> None:
    zone = timezone(timedelta(hours=8))
    at = datetime(2026, 5, 1, 8, 0, 0, 123_999, tzinfo=zone)
    await search.put(index, "1", Operation("u1", date_time=at), visible=True)

    kept = await search.get(index, "1")

    assert kept is not None
    assert kept.date_time == datetime(2026, 5, 1, 0, 0, 0, 123_000, tzinfo=UTC)
    assert await found(search, index, Term("date_time", at)) == "1"


@pytest.mark.parametrize("number", [0, -1, (1 << 63) - 1, -(1 << 63), (1 << 53) + 1])
async def test_whole_numbers_are_exact(
    search: Search, index: Index[Operation], number: int
) -> None:
    await fill(search, index, {"1": Operation("u1", status=number), "2": Operation("u2", status=7)})

    assert await found(search, index, Term("status", number)) == "1"
    assert (await search.search(index, Query())).hits[0].document.status == number


async def test_a_long_keyword_is_kept_but_not_found(
    search: Search, index: Index[Operation]
) -> None:
    await fill(search, index, {"1": Operation("x" * 64), "2": Operation("x" * 65)})

    assert await found(search, index, Term("uid", "x" * 64)) == "1"
    assert await found(search, index, Term("uid", "x" * 65)) == ""
    assert await found(search, index, Not(Exists("uid"))) == "2"
    assert await search.get(index, "2") == Operation("x" * 65)


# text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("登录", "abd"),
        ("登录失败", "a"),
        ("失败 登录", "ad"),
        ("录登", ""),
        ("失败", "ad"),
        ("mozilla", "ad"),
        ("MOZILLA chrome", "d"),
        ("curl 登录", "b"),
        ("moz", ""),
        ("Mozilla/5.0", "ad"),
        ("5.0", "ad"),
        ("changed-by", "c"),
        ("by changed", "c"),
        ("by-changed", ""),
        ("carol", "c"),
        ("... !?", ""),
        ("  ", "abcd"),
        ("carol ---", "c"),
        ('"carol" AND (NOT) * OR agent:x', ""),
        ("nothing", ""),
    ],
)
async def test_text_is_found_by_its_words(
    search: Search, shared: Index[Operation], text: str, expected: str
) -> None:
    assert await spoken(search, shared, text) == expected


async def test_a_text_is_sought_in_the_named_fields_only(
    search: Search, shared: Index[Operation]
) -> None:
    assert await spoken(search, shared, "mozilla", "message") == ""
    assert await spoken(search, shared, "mozilla", "message", "agent") == "ad"
    assert await spoken(search, shared, "mozilla 登录", "agent", "message") == "ad"


async def test_what_fits_the_text_best_comes_first(search: Search, index: Index[Operation]) -> None:
    long = "word " + "filler " * 50
    await fill(
        search,
        index,
        {
            "1": Operation("u1", message=long),
            "2": Operation("u2", message="word word word"),
            "3": Operation("u3", message="other"),
        },
    )

    page = await search.search(index, Query(text="word", fields=("message",)))

    assert [hit.id for hit in page.hits] == ["2", "1"]
    first, second = (hit.score for hit in page.hits)
    assert first is not None
    assert second is not None
    assert first > second > 0


# filters


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (Term("uid", "alice"), "a"),
        (Term("uid", "Alice"), ""),
        (Term("method", Method.POST), "c"),
        (Term("status", 500), "d"),
        (Term("latency", 1.5), "b"),
        (Term("slow", value=True), "c"),
        (Term("slow", value=False), "abd"),
        (Term("date_time", START + timedelta(hours=1)), "b"),
        (Terms("uid", ("bob", "dave", "nobody")), "bd"),
        (Terms("status", ()), ""),
        (Range("status", gte=401), "ad"),
        (Range("status", gt=401), "d"),
        (Range("status", lt=401), "bc"),
        (Range("status", gt=200, lte=401), "a"),
        (Range("latency", gt=0.5), "b"),
        (Range("uid", gte="b", lt="d"), "bc"),
        (Range("date_time", gte=START + timedelta(hours=2)), "cd"),
        (Range("date_time", lt=START + timedelta(milliseconds=1)), "a"),
        (Exists("ip"), "c"),
        (Exists("port"), "ad"),
        (Exists("agent"), "abd"),
        (Not(Exists("agent")), "c"),
        (Not(Term("ip", "192.0.2.1")), "abd"),
        (Not(Range("port", gt=100)), "abc"),
        (Not(Not(Term("port", 80))), "a"),
        (And(), "abcd"),
        (Or(), ""),
        (And(Term("method", "GET"), Range("status", gt=200)), "ad"),
        (Or(Term("uid", "alice"), Term("uid", "bob")), "ab"),
        (And(Or(Term("uid", "alice"), Term("uid", "bob")), Not(Term("status", 200))), "a"),
        (Or(And(Exists("port"), Term("status", 500)), Term("slow", value=True)), "cd"),
        (Not(Or(Term("uid", "alice"), And(Term("uid", "bob")))), "cd"),
    ],
)
async def test_filters_find_what_they_say(
    search: Search, shared: Index[Operation], where: Filter, expected: str
) -> None:
    assert await found(search, shared, where) == expected


async def test_text_and_filter_must_both_hold(search: Search, shared: Index[Operation]) -> None:
    query = Query(text="登录", where=Range("status", gte=400), sort=(Sort("status"),))

    assert await ids(search, shared, query) == ["a", "d"]


# order and pages


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ((), "abcd"),
        ((Sort("uid", descending=True),), "dcba"),
        ((Sort("status"),), "bcad"),
        ((Sort("status", descending=True),), "dabc"),
        ((Sort("latency", descending=True), Sort("uid", descending=True)), "bdca"),
        ((Sort("slow", descending=True), Sort("status")), "cbad"),
        ((Sort("date_time", descending=True),), "dcba"),
        ((Sort("port"),), "adbc"),
        ((Sort("port", descending=True),), "dabc"),
        ((Sort("ip", descending=True), Sort("port", descending=True)), "cdab"),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 3, 20])
async def test_pages_follow_each_other_in_order(
    search: Search, shared: Index[Operation], sort: tuple[Sort, ...], expected: str, limit: int
) -> None:
    found = await pages(search, shared, Query(sort=sort, limit=limit))

    assert "".join(id_ for page in found for id_ in page) == expected
    assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)
    assert found[-1]


@pytest.mark.parametrize("limit", [1, 2, 20])
async def test_pages_of_what_fits_best_miss_nothing(
    search: Search, index: Index[Operation], limit: int
) -> None:
    documents = {
        str(number): Operation("u1", message="word " * (number % 3 + 1) + "x")
        for number in range(7)
    }
    await fill(search, index, documents)

    found = await pages(search, index, Query(text="word", limit=limit))

    assert sorted(id_ for page in found for id_ in page) == sorted(documents)


async def test_a_document_added_before_the_cursor_moves_no_page(
    search: Search, people: Index[Operation]
) -> None:
    query = Query(sort=(Sort("date_time"),), limit=2)
    first = await search.search(people, query)
    await search.put(
        people, "0", Operation("early", date_time=START - timedelta(days=1)), visible=True
    )
    assert first.next is not None

    second = await search.search(people, replace(query, cursor=first.next, limit=3))

    assert [hit.id for hit in second.hits] == ["c", "d"]
    assert second.next is None


@pytest.mark.parametrize(
    ("limit", "value", "exact"), [(0, None, None), (3, 3, False), (4, 4, True), (10, 4, True)]
)
async def test_the_total_is_counted_as_far_as_asked(
    search: Search, shared: Index[Operation], limit: int, value: int | None, exact: bool | None
) -> None:
    page = await search.search(shared, Query(limit=1, count_up_to=limit))

    total = page.total
    assert (None, None) if total is None else (total.value, total.exact) == (value, exact)


async def test_the_total_is_that_of_all_pages(search: Search, shared: Index[Operation]) -> None:
    query = Query(text="登录", where=Exists("port"), sort=(Sort("uid"),), limit=1)
    first = await search.search(shared, query)
    assert first.next is not None
    last = await search.search(shared, replace(query, cursor=first.next))

    assert first.total == last.total
    assert first.total is not None
    assert first.total.value == 2


# highlights


def marked(hit: Hit[Any], field: str) -> list[str]:
    return [snippet.html("b") for snippet in hit.highlights.get(field, ())]


async def test_found_words_are_shown(search: Search, shared: Index[Operation]) -> None:
    query = Query(
        text="登录失败 mozilla", highlight=Highlight(("message", "agent")), sort=(Sort("uid"),)
    )

    (hit,) = (await search.search(shared, query)).hits

    assert marked(hit, "message") == ["<b>登录失败</b>: 密码错误"]
    assert marked(hit, "agent") == ["<b>Mozilla</b>/5.0 Firefox"]


async def test_only_fields_with_found_words_are_shown(
    search: Search, shared: Index[Operation]
) -> None:
    highlight = Highlight(("message", "agent"))

    (hit,) = (await search.search(shared, Query(text="carol", highlight=highlight))).hits
    plain = (await search.search(shared, Query(highlight=highlight))).hits
    other = (
        await search.search(
            shared, Query(text="carol", fields=("message",), highlight=Highlight(("agent",)))
        )
    ).hits

    assert set(hit.highlights) == {"message"}
    assert marked(hit, "message") == ["Password changed by <b>carol</b>"]
    assert not any(each.highlights for each in (*plain, *other))


async def test_what_is_shown_is_escaped(search: Search, index: Index[Operation]) -> None:
    await fill(search, index, {"1": Operation("u1", message="<script>alert</script> & more")})

    (hit,) = (
        await search.search(index, Query(text="alert", highlight=Highlight(("message",))))
    ).hits

    assert marked(hit, "message") == ["&lt;script&gt;<b>alert</b>&lt;/script&gt; &amp; more"]


async def test_of_a_long_text_parts_are_shown(search: Search, index: Index[Operation]) -> None:
    filler = "some other words that nobody seeks " * 20
    text = f"needle {filler} needle {filler} needle {filler} needle"
    await fill(search, index, {"1": Operation("u1", message=text)})
    query = Query(text="needle", highlight=Highlight(("message",), snippets=2, size=60))

    (hit,) = (await search.search(index, query)).hits

    snippets = hit.highlights["message"]
    assert len(snippets) == 2
    for snippet in snippets:
        assert snippet.marks
        assert len(snippet.text) <= 120
        assert snippet.text in text
        assert all(snippet.text[low:high] == "needle" for low, high in snippet.marks)


# what is refused


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (Query(where=Term("nobody", 1)), "nobody"),
        (Query(where=Term("agent", "curl")), "agent"),
        (Query(where=Range("agent", gt="a")), "agent"),
        (Query(where=Term("trace_id", "x")), "trace_id"),
        (Query(where=Exists("resp_body")), "resp_body"),
        (Query(where=Term("status", "200")), "status"),
        (Query(where=Term("status", None)), "status"),
        (Query(where=Terms("uid", ("a", 1))), "uid"),
        (Query(where=Terms("uid", ["x"] * 1001)), "uid"),
        (Query(where=Range("slow", gt=False)), "slow"),
        (Query(where=Range("status")), "status"),
        (Query(where=Range("date_time", gt=datetime(2026, 1, 1))), "date_time"),  # noqa: DTZ001
        (Query(where=Or(Not(And(Term("nobody", 1))))), "nobody"),
        (Query(where=And(*[Exists("uid")] * 200)), "where"),
        (Query(sort=(Sort("agent"),)), "agent"),
        (Query(sort=(Sort("nobody"),)), "nobody"),
        (Query(sort=(Sort("trace_id"),)), "trace_id"),
        (Query(sort=(Sort("uid"),) * 9), "sort"),
        (Query(text="x", fields=("uid",)), "uid"),
        (Query(fields=("nobody",)), "nobody"),
        (Query(text="x" * 1001), "text"),
        (Query(text="x " * 33), "text"),
        (Query(limit=0), "limit"),
        (Query(limit=1001), "limit"),
        (Query(count_up_to=-1), "count_up_to"),
        (Query(count_up_to=1_000_000), "count_up_to"),
        (Query(highlight=Highlight(("uid",))), "uid"),
        (Query(highlight=Highlight(("agent",), size=0)), "highlight"),
        (Query(highlight=Highlight(("agent",), snippets=1000)), "highlight"),
        (Query(cursor="nonsense"), "cursor"),
        (Query(cursor="*"), "cursor"),
        (Query(cursor="x" * 10_000), "cursor"),
    ],
)
async def test_a_bad_query_is_refused(
    search: Search, shared: Index[Operation], query: Query, field: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        await search.search(shared, query)

    assert caught.value.field == field


async def test_a_filter_that_is_too_deep_is_refused(
    search: Search, shared: Index[Operation]
) -> None:
    where: Filter = Exists("uid")
    for _ in range(30):
        where = Not(where)

    with pytest.raises(RefusedError) as caught:
        await search.search(shared, Query(where=where))

    assert caught.value.field == "where"


@pytest.mark.parametrize(
    "other",
    [
        Query(sort=(Sort("status"),)),
        Query(sort=(Sort("uid", descending=True),)),
        Query(sort=(Sort("uid"),), text="登录"),
        Query(sort=(Sort("uid"),), where=Term("status", 200)),
    ],
)
async def test_a_cursor_of_another_query_is_refused(
    search: Search, shared: Index[Operation], other: Query
) -> None:
    page = await search.search(shared, Query(sort=(Sort("uid"),), limit=1))
    assert page.next is not None

    with pytest.raises(RefusedError) as caught:
        await search.search(shared, replace(other, cursor=page.next))

    assert caught.value.field == "cursor"


async def test_an_index_that_nobody_ensured_is_missing(search: Search, name: str) -> None:
    index = operations(name)

    with pytest.raises(MissingIndexError):
        await search.search(index, Query())
    with pytest.raises(MissingIndexError):
        await search.put(index, "1", Operation("u1"))
    with pytest.raises(MissingIndexError):
        await search.get(index, "1")
    with pytest.raises(MissingIndexError):
        await search.delete(index, "1")


# changes of an index


async def test_to_ensure_an_index_twice_changes_nothing(
    search: Search, people: Index[Operation]
) -> None:
    assert await search.ensure(people) is Change.NONE
    assert await ids(search, people, Query()) == ["a", "b", "c", "d"]


async def test_an_index_may_be_ensured_by_many_at_once(search: Search, name: str) -> None:
    index = operations(name)

    changes = await asyncio.gather(*(search.ensure(index) for _ in range(4)))

    assert sorted(each.value for each in changes) == ["created", "none", "none", "none"]


async def test_new_fields_are_added_in_place(search: Search, people: Index[Operation]) -> None:
    wider = Index(people.name, WithHost)

    assert await search.ensure(wider) is Change.EXTENDED
    assert await search.ensure(wider) is Change.NONE
    await search.put(wider, "e", WithHost("eve", host="h1", message="登录"), visible=True)

    assert await found(search, wider, Term("host", "h1")) == "e"
    assert await spoken(search, wider, "登录") == "abde"
    assert await found(search, wider, Not(Exists("host"))) == "abcd"
    assert await search.get(wider, "a") == WithHost("alice", message="登录失败: 密码错误")


async def test_code_that_does_not_know_a_new_field_goes_on(
    search: Search, people: Index[Operation]
) -> None:
    await search.ensure(Index(people.name, WithHost))

    assert await search.ensure(people) is Change.NONE
    await search.put(people, "e", Operation("eve"), visible=True)
    assert await ids(search, people, Query(where=Term("status", 200))) == ["b", "c", "e"]


async def test_another_kind_of_field_needs_a_higher_version(
    search: Search, people: Index[Operation]
) -> None:
    with pytest.raises(MigrationError, match="status"):
        await search.ensure(Index(people.name, StatusIsText))

    assert await found(search, people, Term("status", 500)) == "d"


async def test_a_higher_version_takes_the_documents_along(
    search: Search, people: Index[Operation]
) -> None:
    newer = Index(people.name, LatencyOnly, version=2)

    assert await search.ensure(newer) is Change.MIGRATED
    assert await search.ensure(newer) is Change.NONE

    assert await found(search, newer, Term("status", 500.0)) == "d"
    assert await found(search, newer, Term("message", "登录成功")) == "b"
    assert await search.get(newer, "a") == LatencyOnly("alice", 401.0, "登录失败: 密码错误")
    await search.put(newer, "e", LatencyOnly("eve", 0.5), visible=True)
    assert await ids(search, newer, Query(sort=(Sort("status"),))) == ["e", "b", "c", "a", "d"]


async def test_many_documents_are_taken_along(
    search: Search, target: BulkTarget, index: Index[Operation]
) -> None:
    documents = {str(number): Operation("u1", port=number) for number in range(1203)}
    await target.write(items(index, documents))
    newer = Index(index.name, LatencyOnly, version=3)

    assert await search.ensure(newer) is Change.MIGRATED

    page = await search.search(newer, Query(limit=1))
    assert page.total is not None
    assert page.total.value == 1203


async def test_a_higher_version_may_be_ensured_by_many_at_once(
    search: Search, people: Index[Operation]
) -> None:
    newer = Index(people.name, LatencyOnly, version=2)

    changes = await asyncio.gather(*(search.ensure(newer) for _ in range(3)))

    assert sorted(each.value for each in changes) == ["migrated", "none", "none"]
    assert await ids(search, newer, Query()) == ["a", "b", "c", "d"]


async def test_a_document_that_does_not_fit_stops_the_migration(
    search: Search, people: Index[Operation]
) -> None:
    with pytest.raises(MigrationError, match="status"):
        await search.ensure(Index(people.name, StatusIsText, version=2))

    assert await search.ensure(people) is Change.NONE
    await search.put(people, "e", Operation("eve", status=500), visible=True)
    assert await found(search, people, Term("status", 500)) == "de"


async def test_an_index_of_a_later_version_is_left_alone(
    search: Search, people: Index[Operation]
) -> None:
    await search.ensure(Index(people.name, LatencyOnly, version=2))

    assert await search.ensure(people) is Change.NEWER


async def test_a_document_that_the_model_cannot_hold_is_named(
    search: Search, target: BulkTarget, index: Index[Operation]
) -> None:
    await target.write([Item(index.name, "1", orjson.dumps({"@id": "1", "status": 200}))])

    with pytest.raises(UnreadableError, match="uid") as caught:
        await search.get(index, "1")

    assert (caught.value.index, caught.value.id) == (index.name, "1")


# many at once


def items(index: Index[Any], documents: dict[str, Any]) -> list[Item]:
    return [Item(index.name, id_, index.encode(id_, each)) for id_, each in documents.items()]


def outcomes(results: Sequence[Any]) -> list[Outcome]:
    return [each.outcome for each in results]


async def test_many_are_written_at_once(
    search: Search, target: BulkTarget, index: Index[Operation]
) -> None:
    results = await target.write(items(index, PEOPLE))

    assert outcomes(results) == [Outcome.DONE] * 4
    for id_, each in PEOPLE.items():
        assert await search.get(index, id_) == each


async def test_many_may_be_written_again(
    search: Search, target: BulkTarget, people: Index[Operation]
) -> None:
    await target.write(items(people, {"a": Operation("anna"), "e": Operation("eve")}))

    assert await search.get(people, "a") == Operation("anna")
    assert await search.get(people, "e") == Operation("eve")


async def test_a_bad_one_does_not_stop_the_others(
    search: Search, target: BulkTarget, index: Index[Operation]
) -> None:
    good = items(index, {"1": Operation("u1"), "2": Operation("u2")})
    bad = [
        Item(index.name, "3", b'{"@id":"3","uid":"u3","status":"many"}'),
        Item(index.name, "4", b'{"@id":"4","uid":"u4","unknown":1}'),
    ]

    results = await target.write([good[0], *bad, good[1]])

    assert outcomes(results) == [Outcome.DONE, Outcome.REFUSED, Outcome.REFUSED, Outcome.DONE]
    assert "status" in results[1].reason
    assert "unknown" in results[2].reason
    assert await search.get(index, "2") == Operation("u2")
    assert await search.get(index, "3") is None


async def test_many_are_not_written_into_an_index_that_is_missing(
    search: Search, target: BulkTarget, name: str
) -> None:
    index = operations(name)

    with pytest.raises(MissingIndexError):
        await target.write(items(index, PEOPLE))

    assert await search.ensure(index) is Change.CREATED


async def test_nothing_at_all_may_be_written(target: BulkTarget) -> None:
    assert await target.write([]) == []
