"""What every implementation of the repositories does: the fakes, SQLite, MySQL, PostgreSQL."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from internal.user.biz import (
    Dangling,
    Menu,
    Page,
    PerfRecord,
    Policy,
    PolicyFilter,
    RefreshToken,
    Role,
    Setting,
    Taken,
    User,
    UserFilter,
    UserState,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from internal.user.biz import Transactions, UnitOfWork
    from pkg.clock import FakeClock

NOW = datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)
EVERYTHING = User(
    uid="u1",
    user_name="Alice",
    password="$argon2id$hash",
    role_id="user",
    role_name="Member",
    state=UserState.DISABLED,
    nick_name="爱丽丝 🙂",
    birth=date(1999, 12, 31),
    avatar="/v1/avatar/1",
    phone="+8613800000000",
    wechat="al_ice",
    email="alice@example.org",
    motto="100 % _sure_ \\o/",
    token_version=2**40,
)


@asynccontextmanager
async def failing(transactions: Transactions, error: type[Exception]) -> AsyncIterator[UnitOfWork]:
    """A unit of work that is left by this error."""
    with pytest.raises(error):
        async with transactions.writing(by="test") as work:
            yield work


@pytest.fixture
async def seeded(transactions: Transactions) -> Transactions:
    """With the roles `user` and `admin`."""
    async with transactions.writing(by="test") as work:
        await work.roles.add(Role("user", "Member"))
        await work.roles.add(Role("admin", "Administrator", "", "may all"))
    return transactions


def user(name: str, role_id: str = "user", **more: Any) -> User:
    return replace(User(f"{name}-uid", name, "x", role_id), **more)


async def add_users(work: UnitOfWork, *names: str) -> None:
    for name in names:
        await work.users.add(user(name))


class TestUnitOfWork:
    async def test_what_is_written_is_there_once_it_is_committed(
        self, transactions: Transactions
    ) -> None:
        async with transactions.writing(by="test") as work:
            await work.roles.add(Role("user", "User"))
            async with transactions.reading() as other:
                assert await other.roles.get("user") is None
        async with transactions.reading() as work:
            assert await work.roles.get("user") == Role("user", "User")

    async def test_nothing_of_a_failed_unit_is_there(self, transactions: Transactions) -> None:
        told: list[str] = []

        async def tell() -> None:
            told.append("committed")

        async with failing(transactions, LookupError) as work:
            await work.roles.add(Role("user", "User"))
            work.after_commit(tell)
            raise LookupError
        async with transactions.reading() as work:
            assert await work.roles.all() == ()
        assert told == []

    async def test_hooks_run_in_order_after_the_commit_though_one_fails(
        self, transactions: Transactions
    ) -> None:
        seen: list[object] = []

        async def look() -> None:
            async with transactions.reading() as other:
                seen.append(await other.roles.get("user"))

        async def fail() -> None:
            raise LookupError("first")

        async with failing(transactions, LookupError) as work:
            await work.roles.add(Role("user", "User"))
            work.after_commit(fail)
            work.after_commit(look)
        assert seen == [Role("user", "User")]

    async def test_a_broken_constraint_takes_the_whole_unit_with_it(
        self, seeded: Transactions
    ) -> None:
        async with failing(seeded, Taken) as work:
            await work.roles.add(Role("more", "More"))
            await work.roles.add(Role("user", "User"))
        async with seeded.reading() as work:
            assert await work.roles.get("more") is None


class TestUsers:
    async def test_everything_of_a_user_is_kept(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            added = await work.users.add(EVERYTHING)
        assert added == replace(EVERYTHING, id=added.id)
        assert added.id > 0
        async with seeded.reading() as work:
            assert await work.users.get("u1") == added
            assert await work.users.get("u1", lock=True) == added
            assert await work.users.by_name("aLICE") == added

    async def test_everything_but_uid_and_name_can_be_changed(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            added = await work.users.add(user("u1"))
            changed = replace(EVERYTHING, uid=added.uid, role_id="admin", role_name="Administrator")
            assert await work.users.save(changed)
        async with seeded.reading() as work:
            expected = replace(changed, id=added.id, user_name="u1")
            assert await work.users.get(added.uid) == expected

    async def test_to_save_what_is_as_it_was_is_a_success(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            added = await work.users.add(user("a"))
        async with seeded.writing(by="test") as work:
            assert await work.users.save(added)

    async def test_who_is_not_there_is_not_found(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            assert not await work.users.any()
            await add_users(work, "alice")
            assert await work.users.any()
            assert await work.users.get("x") is None
            assert await work.users.by_name("x") is None
            assert await work.users.by_name("alice ") is None
            assert await work.users.by_name("ali%") is None
            assert not await work.users.save(user("x"))

    async def test_nobody_is_not_anybody(self, seeded: Transactions) -> None:
        async with seeded.reading() as work:
            with pytest.raises(ValueError, match="any user"):
                await work.users.get("")
            with pytest.raises(ValueError, match="any user"):
                await work.users.by_name("")

    @pytest.mark.parametrize("twin", [user("ALICE"), replace(user("x"), uid="alice-uid")])
    async def test_uid_and_name_are_unique(self, seeded: Transactions, twin: User) -> None:
        async with seeded.writing(by="test") as work:
            await add_users(work, "alice")
        async with failing(seeded, Taken) as work:
            await work.users.add(twin)

    async def test_a_user_has_a_role_that_there_is(self, seeded: Transactions) -> None:
        async with failing(seeded, Dangling) as work:
            await work.users.add(user("alice", "nothing"))
        async with failing(seeded, Dangling) as work:
            added = await work.users.add(user("alice"))
            await work.users.save(replace(added, role_id="nothing"))

    async def test_several_users_come_by_age_each_once(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            await add_users(work, "b", "a", "c")
            found = await work.users.batch(["c-uid", "x", "b-uid", "c-uid"], lock=True)
            assert [one.user_name for one in found] == ["b", "c"]
            assert await work.users.batch([]) == ()
            with pytest.raises(ValueError, match="more than"):
                await work.users.batch(["x"] * 1000)

    async def test_users_are_counted_by_role_and_state(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            await add_users(work, "a", "b")
            await work.users.add(replace(user("c"), state=UserState.DISABLED))
            await work.users.add(user("d", "admin"))
            assert await work.users.count("user") == 3
            assert await work.users.count("user", state=UserState.ACTIVE) == 2
            assert await work.users.count("nothing") == 0

    @pytest.mark.parametrize(
        ("wanted", "names"),
        [
            (UserFilter(), ["ann", "Bob_1", "bobx1", "cy%"]),
            (UserFilter(user_name="BOB"), ["Bob_1", "bobx1"]),
            (UserFilter(user_name="b_1"), ["Bob_1"]),
            (UserFilter(user_name="%"), ["cy%"]),
            (UserFilter(user_name="\\"), []),
            (UserFilter(user_name="/"), []),
            (UserFilter(nick_name="爱"), ["ann"]),
            (UserFilter(nick_name="LI"), ["Bob_1"]),
            (UserFilter(phone="38"), ["Bob_1"]),
            (UserFilter(role_id="admin"), ["bobx1"]),
            (UserFilter(role_id="adm"), []),
            (UserFilter(state=UserState.INIT), ["cy%"]),
            (UserFilter(user_name="b", state=UserState.ACTIVE, role_id="user"), ["Bob_1"]),
        ],
    )
    async def test_a_list_holds_what_the_filter_says(
        self, seeded: Transactions, wanted: UserFilter, names: list[str]
    ) -> None:
        async with seeded.writing(by="test") as work:
            await work.users.add(user("ann", nick_name="爱丽丝"))
            await work.users.add(user("Bob_1", nick_name="li", phone="13800"))
            await work.users.add(user("bobx1", "admin"))
            await work.users.add(replace(user("cy%"), state=UserState.INIT))
        async with seeded.reading() as work:
            found, total = await work.users.list(wanted, Page())
        assert [one.user_name for one in found] == names
        assert total == len(names)

    async def test_pages_are_by_age_and_the_total_is_that_of_all(
        self, seeded: Transactions
    ) -> None:
        async with seeded.writing(by="test") as work:
            await add_users(work, "e", "d", "c", "b", "a")
        async with seeded.reading() as work:
            pages = [await work.users.list(UserFilter(), Page(number, 2)) for number in range(1, 5)]
        assert [[one.user_name for one in found] for found, _ in pages] == [
            ["e", "d"],
            ["c", "b"],
            ["a"],
            [],
        ]
        assert {total for _, total in pages} == {5}


class TestRoles:
    async def test_a_role_is_kept_changed_and_removed(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            await work.roles.add(Role("editor", "Editor", "user", "edits"))
            assert await work.roles.get("editor") == Role("editor", "Editor", "user", "edits")
            assert await work.roles.save(Role("editor", "Chief", "", "decides"))
            assert await work.roles.get("editor") == Role("editor", "Chief", "", "decides")
            assert await work.roles.remove("editor")
            assert not await work.roles.remove("editor")
            assert not await work.roles.save(Role("editor", "Editor"))
            assert await work.roles.get("editor") is None

    async def test_roles_come_by_age(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            await work.roles.add(Role("a", "A"))
            await work.roles.lock("admin")
            assert [role.role_id for role in await work.roles.all()] == ["user", "admin", "a"]
            assert await work.roles.known(["a", "x", "user"]) == {"a", "user"}
            assert await work.roles.known([]) == frozenset()

    async def test_an_id_is_one_roles_whatever_its_case_looks_like(
        self, seeded: Transactions
    ) -> None:
        async with seeded.writing(by="test") as work:
            await work.roles.add(Role("USER", "Another"))
            assert (await work.roles.get("user")) == Role("user", "Member")
        async with failing(seeded, Taken) as work:
            await work.roles.add(Role("user", "Again"))

    async def test_a_parent_must_be_there(self, seeded: Transactions) -> None:
        async with failing(seeded, Dangling) as work:
            await work.roles.add(Role("a", "A", "nothing"))
        async with failing(seeded, Dangling) as work:
            await work.roles.save(Role("user", "User", "nothing"))

    async def test_a_role_that_is_used_stays(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            await add_users(work, "alice")
            await work.roles.add(Role("a", "A", "admin"))
        for role_id in ("user", "admin"):
            async with failing(seeded, Dangling) as work:
                await work.roles.remove(role_id)

    async def test_with_a_role_go_its_places_in_menus(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            menu = await work.menus.add(Menu("x", "x", role_ids=("user", "admin")))
        async with seeded.writing(by="test") as work:
            await work.roles.remove("admin")
        async with seeded.reading() as work:
            assert await work.menus.get(menu.id) == replace(menu, role_ids=("user",))


class TestMenus:
    async def test_an_entry_is_kept_changed_and_removed(self, seeded: Transactions) -> None:
        entry = Menu("/x", "x", "x.vue", "/y", 0, ("user", "admin"), "标题", "icon", True, True, -5)
        async with seeded.writing(by="test") as work:
            await work.menus.lock()
            added = await work.menus.add(entry)
            assert added == replace(entry, id=added.id)
            assert await work.menus.get(added.id) == added
            changed = Menu("/z", "z", parent_id=added.id, role_ids=("user",))
            other = await work.menus.add(changed)
            other = replace(other, parent_id=0, role_ids=(), title="t")
            assert await work.menus.save(other)
            assert await work.menus.save(other)
        async with seeded.writing(by="test") as work:
            assert await work.menus.all() == (added, other)
            assert await work.menus.remove(added.id)
            assert not await work.menus.remove(added.id)
            assert not await work.menus.save(added)
            assert await work.menus.get(added.id) is None

    async def test_entries_are_in_order_of_sort_and_then_age(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            for name, sort in (("c", 2), ("a", 1), ("b", 1)):
                await work.menus.add(Menu(name, name, sort=sort))
            assert [menu.name for menu in await work.menus.all()] == ["a", "b", "c"]

    @pytest.mark.parametrize(
        "entry", [Menu("x", "x", parent_id=9999), Menu("x", "x", role_ids=("nobody",))]
    )
    async def test_parents_and_roles_must_be_there(self, seeded: Transactions, entry: Menu) -> None:
        async with failing(seeded, Dangling) as work:
            await work.menus.add(entry)
        async with failing(seeded, Dangling) as work:
            known = await work.menus.add(Menu("y", "y"))
            await work.menus.save(replace(entry, id=known.id))

    async def test_an_entry_with_children_stays(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            parent = await work.menus.add(Menu("x", "x"))
            await work.menus.add(Menu("y", "y", parent_id=parent.id))
        async with failing(seeded, Dangling) as work:
            await work.menus.remove(parent.id)


class TestPolicies:
    async def test_a_policy_is_kept_changed_and_gone(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            added = await work.policies.add(Policy("user", "/x/{id}", "get", "读"))
            assert added == Policy("user", "/x/{id}", "GET", "读", added.id)
            assert await work.policies.get(added.id) == added
            assert await work.policies.find(Policy("user", "/x/{id}", "GET")) == added
            assert await work.policies.find(Policy("user", "/x/{ID}", "GET")) is None
            changed = Policy("admin", "/y", "*", "", added.id)
            assert await work.policies.save(changed)
            assert await work.policies.get(added.id) == changed
            assert await work.policies.remove(added.id)
            assert not await work.policies.remove(added.id)
            assert not await work.policies.save(changed)
            again = await work.policies.add(Policy("admin", "/y", "*"))
            assert again.id > added.id

    async def test_equal_policies_cannot_be(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            await work.policies.add(Policy("user", "/x", "GET"))
            other = await work.policies.add(Policy("user", "/X", "GET"))
        async with failing(seeded, Taken) as work:
            await work.policies.add(Policy("user", "/x", "GET", "in other words"))
        async with failing(seeded, Taken) as work:
            await work.policies.save(Policy("user", "/x", "GET", "", other.id))

    async def test_a_policy_may_stay_as_it_is(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            added = await work.policies.add(Policy("user", "/x", "GET"))
            assert await work.policies.save(added)
            assert await work.policies.save(added)

    async def test_policies_are_filtered_and_paged(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            for number in range(3):
                await work.policies.add(Policy("user", f"/Item_{number}", "GET"))
                await work.policies.add(Policy("admin", f"/item-{number}", "POST"))
            listed = work.policies.list
            found, total = await listed(PolicyFilter("user", "ITEM_", "get"), Page(2, 2))
            assert ([policy.path for policy in found], total) == (["/Item_2"], 3)
            assert (await listed(PolicyFilter(path="m_1"), Page()))[1] == 1
            assert (await listed(PolicyFilter(method="post"), Page()))[1] == 3
            assert (await listed(PolicyFilter(), Page(1, 1)))[1] == 6

    async def test_a_roles_policies_go_together(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            for path in ("/x", "/y"):
                await work.policies.add(Policy("user", path, "GET"))
            await work.policies.add(Policy("admin", "/x", "GET"))
            assert await work.policies.remove_role("user") == 2
            assert await work.policies.remove_role("user") == 0
            assert (await work.policies.list(PolicyFilter(), Page()))[1] == 1

    async def test_versions_count_up_with_what_is_committed(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            assert await work.policies.bump() == 1
            assert await work.policies.bump() == 2
        async with failing(seeded, LookupError) as work:
            assert await work.policies.bump() == 3
            raise LookupError
        async with seeded.writing(by="test") as work:
            assert await work.policies.bump() == 3

    async def test_what_was_seeded_is_remembered(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            assert await work.policies.seeded() == frozenset()
            for name in ("p.S/A", "p.S/B", "p.S/A"):
                await work.policies.mark_seeded(name)
        async with seeded.reading() as work:
            assert await work.policies.seeded() == {"p.S/A", "p.S/B"}


class TestSettings:
    async def test_a_setting_is_kept_and_changed(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            await add_users(work, "a")
            assert await work.settings.get("a-uid") is None
            assert not await work.settings.save(Setting("a-uid"))
            added = await work.settings.add(Setting("a-uid"))
            changed = Setting("a-uid", "en", "#000", True, False, "r", "#111", "#222")
            assert await work.settings.save(changed)
            assert await work.settings.get("a-uid") == replace(changed, id=added.id)

    async def test_there_is_one_for_each_user_that_there_is(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            await add_users(work, "a")
            await work.settings.add(Setting("a-uid"))
        async with failing(seeded, Taken) as work:
            await work.settings.add(Setting("a-uid"))
        async with failing(seeded, Dangling) as work:
            await work.settings.add(Setting("gone"))


def token(name: str, family: str = "f", uid: str = "a-uid", **more: Any) -> RefreshToken:
    made = RefreshToken(name * 64, family, uid, NOW, NOW + timedelta(days=7))
    return replace(made, **more)


class TestRefreshTokens:
    async def test_a_token_is_kept_to_the_microsecond(self, seeded: Transactions) -> None:
        kept = token("1", used_at=NOW, revoked_at=NOW + timedelta(microseconds=1))
        async with seeded.writing(by="test") as work:
            await add_users(work, "a")
            await work.refresh_tokens.add(kept)
        async with seeded.reading() as work:
            found = await work.refresh_tokens.get(kept.token_hash)
            assert await work.refresh_tokens.get("x") is None
        assert found is not None
        assert found == replace(kept, id=found.id)

    async def test_a_token_is_one_users_and_unlike_any_other(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            await add_users(work, "a")
            await work.refresh_tokens.add(token("1"))
        async with failing(seeded, Taken) as work:
            await work.refresh_tokens.add(token("1", "other"))
        async with failing(seeded, Dangling) as work:
            await work.refresh_tokens.add(token("2", uid="gone"))

    async def test_a_token_is_used_once(self, seeded: Transactions) -> None:
        async with seeded.writing(by="test") as work:
            await add_users(work, "a")
            await work.refresh_tokens.add(token("1"))
            await work.refresh_tokens.add(token("2", revoked_at=NOW))
            assert await work.refresh_tokens.use("1" * 64, NOW)
            assert not await work.refresh_tokens.use("1" * 64, NOW)
            assert not await work.refresh_tokens.use("2" * 64, NOW)
            assert not await work.refresh_tokens.use("3" * 64, NOW)
            found = await work.refresh_tokens.get("1" * 64)
            assert found is not None
            assert found.used_at == NOW

    async def test_a_family_or_a_user_is_revoked_as_a_whole(self, seeded: Transactions) -> None:
        later = NOW + timedelta(hours=1)
        async with seeded.writing(by="test") as work:
            await add_users(work, "a", "b")
            for name, family, uid in (("1", "f", "a"), ("2", "f", "a"), ("3", "g", "a")):
                await work.refresh_tokens.add(token(name, family, f"{uid}-uid"))
            await work.refresh_tokens.add(token("4", "h", "b-uid"))
            assert await work.refresh_tokens.revoke_family("f", NOW) == 2
            assert await work.refresh_tokens.revoke_family("f", later) == 0
            assert await work.refresh_tokens.revoke_user("a-uid", later) == 1
            found = [await work.refresh_tokens.get(name * 64) for name in "1234"]
        assert [one and one.revoked_at for one in found] == [NOW, NOW, later, None]

    async def test_old_tokens_are_deleted_oldest_first_in_portions(
        self, seeded: Transactions
    ) -> None:
        async with seeded.writing(by="test") as work:
            await add_users(work, "a")
            for name in "123":
                await work.refresh_tokens.add(token(name))
            await work.refresh_tokens.add(token("4", expires_at=NOW + timedelta(days=8)))
            purge = work.refresh_tokens.purge
            assert await purge(NOW + timedelta(days=7), 9) == 0
            after = NOW + timedelta(days=7, microseconds=1)
            assert await purge(after, 2) == 2
            assert await work.refresh_tokens.get("3" * 64) is not None
            assert await purge(after, 2) == 1
            assert await work.refresh_tokens.get("4" * 64) is not None


async def test_the_probe_tells_who_wrote_when(seeded: Transactions, clock: FakeClock) -> None:
    async with seeded.writing(by="a-uid") as work:
        number = await work.perf.add(PerfRecord("a-uid", "a", "motto", "text 😀"))
    clock.advance(timedelta(hours=1))
    async with seeded.writing(by="other") as work:
        record = await work.perf.get(number)
        assert await work.perf.get(number + 1) is None
    written = clock.now() - timedelta(hours=1)
    assert record == PerfRecord("a-uid", "a", "motto", "text 😀", written, "a-uid", number)
