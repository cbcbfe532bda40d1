"""The rights table and the routes, said a second time, so that a slip in either is seen."""

from __future__ import annotations

import pytest

from dashboards import routes
from dashboards.routes import CALLBACKS, action_of, action_of_callback, is_page
from hypervision.accounts import PUBLIC, RIGHTS, WHOLE, Account, Action, Role, may
from hypervision.scope import Scope

# Viewer, operator, engineer, administrator, auditor; `w`: only with the whole town in sight.
TABLE = """
    log_in                v o e a u
    read_liveness         v o e a u
    log_out               v o e a u
    own_account           v o e a u
    see_screens           v o e a u
    read_data             v o e a u
    see_system            v o e a u
    see_alarm_quality     v o e a u
    see_trends            v o e a u
    search                v o e a u
    see_views             v o e a u
    keep_view             v o e a u
    see_notes             v o e a u
    write_note            . o e a .
    read_health           v o e a u
    read_metrics          v o e a u w
    acknowledge_alarm     . o e a .
    shelve_alarm          . o e a .
    place_out_of_service  . o e a .
    write_observation     . . e a .
    correct_observation   . . e a .
    see_rejected          . . e a u
    replay_rejected       . . e a .
    see_accounts          . . . a u w
    manage_accounts       . . . a . w
    see_audit             . . . a u w
    see_rules             . . e a u w
    change_group          . . e a .
    propose_rule          . . e a . w
    approve_rule          . . e a . w
"""
LETTERS = {"v": Role.VIEWER, "o": Role.OPERATOR, "e": Role.ENGINEER, "a": Role.ADMINISTRATOR, "u": Role.AUDITOR}
ROWS = {words[0]: words[1:] for words in (line.split() for line in TABLE.strip().splitlines())}

# Every route by an example: method, path, action; `!` before the path: there is no such thing.
ROUTES = """
    GET /login log_in
    GET /static/logo.svg log_in
    GET /static/../x !
    GET /accessibility log_in
    GET /_favicon.ico log_in
    POST /api/v1/login log_in
    GET /api/v1/login !
    POST /api/v1/logout log_out
    GET /login/provider log_in
    GET /login/callback log_in
    GET /welcome log_in
    POST /api/v1/welcome log_in
    GET /account own_account
    GET /api/v1/account own_account
    POST /api/v1/account/password own_account
    POST /api/v1/account/second-factor/confirm own_account
    POST /api/v1/account/tokens/7/revoke own_account
    POST /api/v1/account/sessions/0123456789abcdef/end own_account
    POST /api/v1/account/sessions/all/end !
    GET /api/health/live read_liveness
    GET /api/health read_health
    HEAD /api/health read_health
    GET /metrics read_metrics
    GET /api/openapi.json read_data
    GET /api/openapiXjson !
    GET /api/docs read_data
    GET /api/v1/things read_data
    GET /api/v1/groups read_data
    PUT /api/v1/groups/round-7 change_group
    DELETE /api/v1/groups/round-7 change_group
    POST /api/v1/groups/round-7 !
    GET /api/v1/observations/hourly read_data
    GET /api/v1/alarms/12/transitions read_data
    GET /api/v1/rejected see_rejected
    GET /api/v1/rejected/counts see_rejected
    GET /api/v1/audit see_audit
    POST /api/v1/audit/verify see_audit
    GET /api/v1/rules see_rules
    GET /api/v1/rules/proposals see_rules
    GET /api/v1/rules/water.flow.high see_rules
    POST /api/v1/rules/water.flow.high/proposals propose_rule
    POST /api/v1/rules/proposals/3/withdraw propose_rule
    POST /api/v1/rules/proposals/3/approve approve_rule
    POST /api/v1/rules/proposals/3/refuse approve_rule
    POST /api/v1/rules/water.flow.high/rollback approve_rule
    GET /api/v1/alarm-quality see_alarm_quality
    GET /api/v1/trends see_trends
    GET /api/v1/search search
    GET /api/v1/views see_views
    POST /api/v1/views keep_view
    DELETE /api/v1/views/4 keep_view
    GET /api/v1/notes see_notes
    POST /api/v1/notes write_note
    DELETE /api/v1/notes/4 write_note
    GET /api/v1/live see_screens
    GET /api/v1/scopes see_accounts
    GET /api/v1/accounts/anne see_accounts
    POST /api/v1/accounts manage_accounts
    PATCH /api/v1/accounts/anne manage_accounts
    POST /api/v1/accounts/anne/password manage_accounts
    POST /api/v1/accounts/anne/log-out manage_accounts
    POST /api/v1/observations write_observation
    POST /api/v1/corrections correct_observation
    POST /api/v1/rejected/replay replay_rejected
    POST /api/v1/alarms/12/acknowledge acknowledge_alarm
    POST /api/v1/alarms/12/shelve shelve_alarm
    POST /api/v1/alarms/12/unshelve shelve_alarm
    POST /api/v1/inhibitions place_out_of_service
    POST /api/v1/inhibitions/3/end place_out_of_service
    GET /assets/10-theme.css see_screens
    GET /_dash-component-suites/dash/dcc/x.js see_screens
    GET /_dash-layout see_screens
    GET /_dash-dependencies see_screens
    POST /_dash-update-component see_screens
    POST /_dash-layout !
    WEBSOCKET /live see_screens
    GET /live !
    GET / see_screens
    POST / !
    GET /alarms see_screens
    POST /alarms !
    GET /alarms/hidden see_screens
    GET /alarms/service see_screens
    GET /map see_screens
    GET /asset/water-001 see_screens
    GET /trends see_trends
    GET /quality see_alarm_quality
    GET /health see_system
    GET /rejected see_rejected
    GET /administration see_accounts
    GET /audit see_audit
    GET /rules see_rules
    GET /etc !
"""
EXAMPLES = [tuple(line.split()) for line in ROUTES.strip().splitlines()]


@pytest.mark.parametrize("role", Role)
def test_each_role_may_what_the_second_table_says(role: Role) -> None:
    assert set(ROWS) == {action.value for action in Action} == {a.value for a in (*RIGHTS, *PUBLIC)}
    for name, letters in ROWS.items():
        able = role in {LETTERS[letter] for letter in letters if letter in LETTERS}
        assert may(Account(1, "x", role), Action(name)) is able, name
        part = Account(1, "x", role, Scope(domains=("water",)))
        assert may(part, Action(name)) is (able and "w" not in letters), name
    assert {action.value for action in WHOLE} == {name for name, letters in ROWS.items() if "w" in letters}


def test_token_may_what_it_was_made_for_and_its_role_may() -> None:
    token = Account(1, "x", Role.OPERATOR, granted=frozenset({Action.READ_DATA, Action.MANAGE_ACCOUNTS}))
    assert {action for action in Action if may(token, action)} == {Action.READ_DATA, *PUBLIC}


@pytest.mark.parametrize(("method", "path", "action"), EXAMPLES)
def test_request_is_the_action_that_the_second_table_says(method: str, path: str, action: str) -> None:
    found = action_of(method, path)
    assert ("!" if found is None else found.value) == action
    if method == "GET":
        assert action_of("HEAD", path) is found
        # What is read at an address is not written there.
        assert action_of("DELETE", path) in (None, Action.KEEP_VIEW, Action.WRITE_NOTE)


def test_every_route_has_an_example() -> None:
    for method, pattern, action in routes._ROUTES:
        told = [path for m, path, a in EXAMPLES if m == method and a == action.value and pattern.fullmatch(path)]
        assert told, (method, pattern.pattern)


def test_pages_are_addresses_and_callbacks_of_other_parts_have_no_path() -> None:
    assert all(is_page(path) for path in ("/", "/account", "/api/docs", "/asset/water-001", "/rules"))
    assert not any(is_page(path) for path in ("/login", "/api/v1/things", "/nowhere", ""))
    at = [{"id": "url", "property": "pathname", "value": "/audit"}]
    for output, action in CALLBACKS.items():
        asked = {"output": output, "inputs": at}
        assert action_of_callback(asked) is (Action.SEE_AUDIT if output == "page.children" else action)
    # Without a path in it, or with something else in its place, it is the overview that is asked for.
    for inputs in (
        None,
        7,
        ["pathname"],
        [{"id": "other", "property": "pathname", "value": "/audit"}],
        [{"id": "url"}],
    ):
        assert action_of_callback({"output": "page.children", "inputs": inputs}) is Action.SEE_SCREENS
