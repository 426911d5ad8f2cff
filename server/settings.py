"""Every setting of the service: name, default, and one sentence. The environment is read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from kg.errors import BadInput
from kg.tallies import MOST_BYTES

PREFIX = "KG_"


def setting(default: Any, help_: str) -> Any:
    """Declare one setting with its default and what it is for."""
    return field(default=default, metadata={"help": help_})


@dataclass(frozen=True)
class Settings:
    """All settings; each is read from the environment variable ``KG_`` plus its name in capitals."""

    host: str = setting("127.0.0.1", "Address to listen on; reading is open to whoever can reach it.")
    port: int = setting(8000, "Port to listen on; 0 takes any free one.")
    data: Path = setting(Path(".cartograph"), "Folder of the store.")
    workers: int = setting(1, "Processes that answer; one of them holds the store and writes.")
    read_only: bool = setting(False, "Whether only published snapshots, such as a copy of them, are read.")
    follow_seconds: float = setting(0.05, "How often a process that only reads looks for a newer snapshot, in seconds.")
    schema: Path | None = setting(None, "Schema folder; the one that came with the installation when not set.")
    seeds: Path | None = setting(
        None, "Folder of seed files; the one that came with the installation, for its schema, when not set."
    )
    cors_origins: tuple[str, ...] = setting(
        (), "Origins, separated by commas, whose pages may query the service; * for any."
    )
    graphiql: bool = setting(True, "Whether /graphql shows GraphiQL to browsers.")
    embed_ancestors: tuple[str, ...] = setting(
        (), "Origins, separated by commas, whose pages may frame views and read them by script; * for any."
    )
    public_url: str = setting(
        "", "Address that links in pictures, embeds and oEmbed answers start with; the one asked for when not set."
    )
    introspection: bool = setting(True, "Whether the GraphQL schema may be asked for.")
    reads_need_token: bool = setting(False, "Whether reading needs a token as well; writing always does.")
    auth_failures: int = setting(10, "Failed tokens from one address before it must wait.")
    auth_window_seconds: float = setting(60.0, "How long failed tokens count, in seconds.")
    oidc_issuer: str = setting("", "Issuer of the JWTs of an identity provider; empty for none.")
    oidc_audience: str = setting("", "Audience its JWTs must name.")
    oidc_jwks: str = setting("", "Its keys: a https address or a file with a JSON Web Key Set.")
    oidc_role_claim: str = setting("roles", "Claim that holds the roles; realm_access.roles looks one level down.")
    oidc_roles: tuple[str, ...] = setting(
        (), "What its role names mean here: staff=curator,it=admin. By default they are reader, curator and admin."
    )
    oidc_name_claim: str = setting("preferred_username", "Claim that names the author of a change; else sub does.")
    max_body_bytes: int = setting(1_000_000, "Largest request body, in bytes.")
    max_upload_bytes: int = setting(64_000_000, "Largest request body of who may write, in bytes.")
    upload_seconds: float = setting(20.0, "Longest time spent on parsing one source of a change, in seconds.")
    upload_megabytes: int = setting(1_000, "Memory that parsing one source of a change may take, in MB.")
    impact_edges: int = setting(
        200_000, "Edges of a graph up to which the impact of a change says which hypotheses move."
    )
    impact_pairs: int = setting(100_000, "Pairs whose hypotheses the impact of a change compares at most.")
    impact_seconds: float = setting(
        2.0, "Longest time spent on comparing hypotheses for the impact of a change, in seconds; 0 compares none."
    )
    max_writes_waiting: int = setting(8, "Writes that may wait for the one that runs.")
    max_subscriptions: int = setting(20, "Operations that may run at once on one WebSocket.")
    max_streams: int = setting(1_000, "WebSockets and event streams open at once.")
    keep_alive_seconds: float = setting(15.0, "A sign of life goes out on an idle stream this often, in seconds.")
    ws_init_seconds: float = setting(10.0, "Time a WebSocket has to send connection_init, in seconds.")
    max_url_bytes: int = setting(16_000, "Longest query string of a GET, in bytes.")
    max_tokens: int = setting(4_000, "Most tokens in a GraphQL document.")
    max_depth: int = setting(16, "Deepest nesting of fields in an operation.")
    max_aliases: int = setting(100, "Most aliases in an operation, fragments counted wherever they are spread.")
    max_directives: int = setting(100, "Most directives in an operation, fragments counted wherever they are spread.")
    max_cost: int = setting(
        50_000, "Highest cost of an operation: one for each field, times the sizes of the lists around it."
    )
    max_filter_depth: int = setting(6, "Deepest nesting of a filter.")
    max_ids: int = setting(200, "Most identifiers in one argument.")
    page_size: int = setting(25, "Number of edges in a connection when neither first nor last is given.")
    max_page_size: int = setting(1_000, "Largest first or last of a connection.")
    max_view_nodes: int = setting(5_000, "Largest maxNodes of a graph view.")
    max_view_edges: int = setting(
        20_000, "Most edges of a graph view; those that join its entities and the most trusted are kept."
    )
    view_nodes: int = setting(300, "Entities in a view.svg, view.json or embedded view that names no max-nodes.")
    max_view_depth: int = setting(6, "Largest depth of a graph view.")
    request_seconds: float = setting(10.0, "Longest time spent on one operation, in seconds.")
    search_steps: int = setting(2_000_000, "Most steps of work of one search for paths or hypotheses.")
    threads: int = setting(4, "Threads that execute costly operations beside the event loop.")
    inline_cost: int = setting(
        20_000, "Compiled operations up to this cost run on the event loop; costlier ones and searches on a thread."
    )
    tally_bytes: int = setting(
        MOST_BYTES,
        "What p-values of a large graph took is kept with its snapshot, up to so many bytes; 0 keeps nothing. Read-only services only read it.",
    )
    citations: int = setting(
        10_000, "Number of answers of searches kept in the data folder for `kg replay`; 0 keeps none."
    )
    document_cache: int = setting(1_000, "Number of parsed and validated documents kept.")
    response_cache_bytes: int = setting(32_000_000, "Size of the cache of responses, in bytes; 0 turns it off.")
    kept_answer_bytes: int = setting(
        32_000_000,
        "Size of what is kept of answers about entities, to be part of other answers, in bytes; 0 turns it off.",
    )
    page_cache_bytes: int = setting(16_000_000, "Size of the cache of pages and pictures, in bytes; 0 turns it off.")
    compiled: bool = setting(True, "Whether operations are compiled where possible; off runs all through graphql-core.")
    log_level: str = setting("info", "Least severity that is logged: debug, info, warning or error.")
    log_format: str = setting("auto", "json, console, or auto: console on a terminal and json elsewhere.")
    shutdown_seconds: int = setting(10, "Time that running requests get to finish when the service stops.")

    @classmethod
    def load(cls, environ: Mapping[str, str], **given: Any) -> Settings:
        """Return settings from the environment, overridden by what is given and not None.

        Raises BadInput, naming the variable, for a value that cannot be read.
        """
        hints = get_type_hints(cls)
        values = {
            row.name: _read(PREFIX + row.name.upper(), environ[PREFIX + row.name.upper()], hints[row.name])
            for row in fields(cls)
            if PREFIX + row.name.upper() in environ
        }
        values.update({name: value for name, value in given.items() if value is not None})
        return cls(**values)


def rows() -> list[tuple[str, str, str]]:
    """Return (environment variable, default, help) of every setting."""
    return [(PREFIX + row.name.upper(), _shown(row.default), row.metadata["help"]) for row in fields(Settings)]


def _shown(value: Any) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read(name: str, text: str, type_: Any) -> Any:
    try:
        if type_ is bool:
            return {
                "1": True,
                "true": True,
                "yes": True,
                "on": True,
                "0": False,
                "false": False,
                "no": False,
                "off": False,
            }[text.lower()]
        if type_ in (int, float, str):
            return type_(text)
        if type_ == tuple[str, ...]:
            return tuple(part.strip() for part in text.split(",") if part.strip())
        return Path(text) if text else None
    except (ValueError, KeyError) as error:
        wanted = {bool: "true or false", int: "a whole number", float: "a number"}.get(type_, "a value")
        raise BadInput(f"The setting {name} is {text!r}; it must be {wanted}.") from error
