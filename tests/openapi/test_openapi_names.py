"""Names: legal, unique, stable; argument keys: one place each."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolhaft.openapi.names import KeyRequest, NameRequest, argument_keys, tool_names

LEGAL = re.compile(r"[a-zA-Z0-9_-]{1,64}")
KEY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")


@pytest.mark.parametrize(
    ("method", "path", "identifier", "name"),
    [
        ("GET", "/users/{id}", "getUser", "getUser"),
        ("GET", "/users/{id}", "", "get_users_by_id"),
        ("POST", "/a/{x}/b/{y}", "", "post_a_by_x_b_by_y"),
        ("GET", "/", "", "get"),
        ("GET", "/s/{a}.{b}:run", "", "get_s_by_a_by_b_run"),
        ("GET", "/x", "users/list", "users_list"),
        ("GET", "/x", "café", "cafe"),
        ("GET", "/x", "Straße", "Strasse"),
        ("GET", "/x", "получить", "get_x"),
        ("GET", "/x", "list🚀", "list_541a2d0d"),
        ("COPY", "/a", "", "copy_a"),
        ("GET", "/x", "a__b", "a__b"),
        ("GET", "/files?type=z", "", "get_files"),
    ],
)
def test_a_name_is_the_identifier_or_method_and_path(method, path, identifier, name):
    assert tool_names([NameRequest(method, path, identifier)]) == [name]


def test_a_prefix_stands_before_every_name():
    assert tool_names([NameRequest("GET", "/x", "list")], "pet_") == ["pet_list"]


def test_the_first_keeps_a_name_that_several_want():
    asked = [
        NameRequest("GET", "/a", "list items"),
        NameRequest("GET", "/b", "list_items"),
        NameRequest("GET", "/list-items", ""),
        NameRequest("GET", "/0", "LIST_ITEMS"),
    ]
    names = tool_names(asked)
    assert names[0] == "list_items"
    assert [name.lower().rpartition("_")[0] for name in (names[1], names[3])] == ["list_items"] * 2
    assert names[1].endswith(asked[1].digest)
    assert names[2] == "get_list-items"
    assert len({name.lower() for name in names}) == 4


def test_names_that_were_given_are_kept_wherever_something_is_added():
    old = [NameRequest("GET", "/a", "list"), NameRequest("GET", "/b", "list")]
    kept = {f"{r.method} {r.path}": name for r, name in zip(old, tool_names(old), strict=True)}
    more = [NameRequest("GET", "/0", "list"), *reversed(old)]
    first, *rest = tool_names(more, kept=kept)
    assert rest == tool_names(old)[::-1]
    assert first.startswith("list_")
    bad = {"GET /a": "no name", "GET /b": "x" * 65}
    assert tool_names(old, kept=bad) == tool_names(old)
    assert tool_names(old, kept={"GET /a": "same", "GET /b": "SAME"}) == ["same", "list"]


identifiers = st.one_of(
    st.just(""),
    st.sampled_from(["list", "LIST", "list_2", "li st", "li.st", "获取", "a" * 63 + "bcd", "a" * 63 + "bce"]),
    st.text(max_size=80),
)
operations = st.lists(
    st.builds(
        NameRequest,
        st.sampled_from(["GET", "POST", "PUT"]),
        st.one_of(
            st.sampled_from(["/a", "/a/{b}", "/a/by/b", "/é", "/{x}"]), st.text(max_size=30).map("/".__add__)
        ),
        identifiers,
    ),
    max_size=12,
    unique_by=lambda request: (request.method, request.path),
)


@given(operations)
@settings(max_examples=150, deadline=None)
def test_names_are_legal_and_unique_and_nothing_behind_renames(asked):
    names = tool_names(asked)
    assert all(LEGAL.fullmatch(name) for name in names)
    assert len({name.casefold() for name in names}) == len(names)
    assert all(tool_names(asked[:count]) == names[:count] for count in range(len(asked)))


@given(operations)
@settings(max_examples=100, deadline=None)
def test_an_operation_with_a_name_of_its_own_renames_no_other(asked):
    added = NameRequest("GET", "/zzz/unlike/any", "zzzUnlikeAnyOther")
    if any(added.operation_id.casefold() in request.operation_id.casefold() for request in asked):
        return
    assert tool_names([added, *asked])[1:] == tool_names(asked)


def test_a_name_in_several_places_gets_a_suffix_by_place():
    places = ["body", "cookie", "header", "query", "path"]
    keys = argument_keys([KeyRequest(place, "id") for place in places])
    assert keys == ["id_body", "id_cookie", "id_header", "id_query", "id"]


@pytest.mark.parametrize(
    ("name", "key"),
    [("filter[name]", "filter_name"), ("$top", "top"), ("a.b-c_d", "a.b-c_d"), ("x y", "x_y"), ("é", "e")],
)
def test_a_name_that_is_no_key_gets_an_alias(name, key):
    assert argument_keys([KeyRequest("query", name)]) == [key]


@given(
    st.lists(
        st.builds(
            KeyRequest,
            st.sampled_from(["path", "query", "header", "cookie", "body"]),
            st.one_of(
                st.sampled_from(["id", "id_query", "id[]", "$id", "é"]), st.text(min_size=1, max_size=90)
            ),
        ),
        max_size=15,
        unique=True,
    )
)
@settings(max_examples=150, deadline=None)
def test_keys_are_legal_unique_and_stable(asked):
    keys = argument_keys(asked)
    assert all(KEY.fullmatch(key) for key in keys)
    assert len(set(keys)) == len(keys)
    backwards = argument_keys(asked[::-1])
    assert backwards[::-1] == keys
