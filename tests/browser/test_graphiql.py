"""The query editor at `/graphql`, as a person meets it, with no network but this machine."""

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Response

pytestmark = pytest.mark.usefixtures("built", "quiet")


@pytest.fixture
def editor(page: "Page", service: str) -> "Page":
    """The page, loaded, with the schema fetched."""
    return open_editor(page, f"{service}/graphql")


def open_editor(page: "Page", url: str) -> "Page":
    with page.expect_response(is_introspection):
        page.goto(url)
    page.wait_for_selector(".graphiql-query-editor .view-line")
    return page


def is_introspection(response: "Response") -> bool:
    return "IntrospectionQuery" in (response.request.post_data or "")


def examples(page: "Page") -> list[dict[str, Any]]:
    """What the server put into the page."""
    offered: list[dict[str, Any]] = json.loads(page.locator("#examples").text_content() or "")
    return offered


def operation(example: dict[str, Any]) -> str:
    """The operation's name, which is the title of its tab."""
    found = re.search(r"^\s*(?:query|mutation|subscription)\s+(\w+)", example["query"], re.MULTILINE)
    assert found, f"example {example['title']!r} has no operation name, so its tab would be <untitled>"
    return found[1]


def tab(page: "Page", example: dict[str, Any]) -> "Locator":
    """The button of an example's tab."""
    return page.get_by_role("tablist").get_by_role("button", name=operation(example), exact=True)


def execute(page: "Page") -> dict[str, Any]:
    """Presses the button; returns what the service answered."""
    with page.expect_response("**/graphql") as waiting:
        page.get_by_role("button", name="Execute query").click()
    answer: dict[str, Any] = waiting.value.json()
    return answer


def wait_for_text(page: "Page", pane: str, text: str) -> None:
    """Waits until an editor pane shows the text; spaces do not count, for monaco draws other characters."""
    wanted, shown = re.sub(r"\s", "", text), ""
    for _ in range(100):
        shown = re.sub(r"\s", "", page.locator(f"{pane} .view-lines").first.text_content() or "")
        if wanted in shown:
            return
        page.wait_for_timeout(50)
    pytest.fail(f"{wanted!r} is not in {pane}, which shows {shown!r}")


def first_text(value: Any) -> str | None:
    """The first string in a JSON value, in reading order."""
    if isinstance(value, str):
        return value
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((text for text in map(first_text, children) if text), None)


def test_every_example_opens_in_a_tab_of_its_own(editor: "Page") -> None:
    """A newcomer sees what can be asked before reading anything."""
    offered = examples(editor)
    assert len(offered) >= 2
    assert editor.get_by_role("tab").all_inner_texts()[: len(offered)] == [operation(each) for each in offered]


def test_running_a_query_shows_what_the_service_answered(editor: "Page") -> None:
    """The answer in the pane is the service's, not a placeholder."""
    answer = execute(editor)
    text = first_text(answer["data"])
    assert text
    wait_for_text(editor, ".graphiql-response", text[:12])


def test_every_example_runs_without_an_error(editor: "Page") -> None:
    """An example that fails teaches that the service is broken."""
    for example in examples(editor):
        tab(editor, example).click()
        answer = execute(editor)
        assert "errors" not in answer, f"{example['title']}: {answer['errors']}"
        assert first_text(answer["data"]), f"{example['title']}: nothing in the answer"


def test_the_editor_asks_for_the_graphql_media_type(editor: "Page") -> None:
    """Status codes mean what GraphQL-over-HTTP says they mean only under this type."""
    with editor.expect_response("**/graphql") as waiting:
        editor.get_by_role("button", name="Execute query").click()
    assert waiting.value.request.headers["accept"].startswith("application/graphql-response+json")
    assert waiting.value.headers["content-type"].startswith("application/graphql-response+json")


def test_documentation_opens_with_the_query_type(editor: "Page") -> None:
    """The schema is read from the service, so the page documents what is really there."""
    editor.get_by_role("button", name="Show Documentation Explorer").click()
    explorer = editor.get_by_role("region", name="Documentation Explorer")
    explorer.get_by_role("link", name="Query", exact=True).click()
    assert "entity" in (explorer.text_content() or "")


def test_an_example_is_still_at_hand_after_its_tab_is_closed(editor: "Page") -> None:
    """Closing a tab must not lose the only copy of a query."""
    example = examples(editor)[0]
    tab(editor, example).hover()
    editor.get_by_role("button", name="Close Tab").first.click()
    editor.get_by_role("button", name="Show Examples").click()
    editor.get_by_role("button", name=example["title"], exact=True).click()
    tab(editor, example).wait_for()
    wait_for_text(editor, ".graphiql-query-editor", example["query"][:40])


def test_a_link_can_carry_a_query(page: "Page", service: str) -> None:
    """People share questions as addresses."""
    open_editor(page, f"{service}/graphql#query={quote('query FromALink { __typename }')}")
    assert page.get_by_role("tab").first.inner_text() == "FromALink"
    assert execute(page)["data"] == {"__typename": "Query"}
    wait_for_text(page, ".graphiql-response", '"__typename": "Query"')


def test_the_front_page_leads_to_the_editor(page: "Page", service: str) -> None:
    """Whoever opens the bare address finds where to ask."""
    page.goto(f"{service}/")
    page.get_by_role("link", name="GraphiQL").click()
    page.wait_for_selector(".graphiql-query-editor .view-line")


def test_the_page_runs_under_a_strict_policy(page: "Page", service: str) -> None:
    """Neither inline nor evaluated script: text from the graph can never become code."""
    answer = page.goto(f"{service}/graphql")
    assert answer is not None
    policy = {name: values for name, *values in map(str.split, answer.headers["content-security-policy"].split(";"))}
    assert policy["script-src"] == ["'self'"]
    assert policy["connect-src"] == ["'self'"]


def test_without_javascript_the_page_says_what_to_do(browser: "Browser", service: str) -> None:
    """A blank page helps nobody."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{service}/graphql")
    assert "needs JavaScript" in page.inner_text("body")
    context.close()
