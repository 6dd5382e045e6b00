"""Configuration of a site: `site.toml`, then `ROOMTONE_` environment (`__` nests), then flags."""

import hashlib
import ipaddress
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from drivers import registry
from service.access_settings import AuthSettings, LimitSettings
from service.bus.settings import BusSettings
from service.outlets.settings import OutletSettings
from service.rooms.alerting.rules import AlertRule
from service.rooms.config import Name, RoomConfig
from service.section import Section
from service.store.settings import RetentionSettings

_SOCKET_PATH_LIMIT = 90  # bytes; the kernel allows 107 for the whole path of a Unix socket


class ServerSettings(Section):
    """The API server. `names` are host names it is reached by, besides localhost and IP addresses.

    `cors_origins` are other sites whose pages may call the API, as `https://panel.example`.
    """

    host: str = "127.0.0.1"
    names: list[str] = Field(default_factory=list)
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    tls_cert: Path | None = None
    tls_key: Path | None = None
    trusted_proxy: str | None = None
    max_body_bytes: Annotated[int, Field(ge=1024)] = 1024 * 1024
    cors_origins: list[Annotated[str, Field(pattern=r"^https?://[^/*]+$")]] = Field(default_factory=list)
    limits: LimitSettings = LimitSettings()

    @field_validator("trusted_proxy")
    @classmethod
    def _one_place(cls, proxy: str | None) -> str | None:
        """Who may say in X-Forwarded-For where a request comes from; never everybody."""
        for part in [] if proxy is None else proxy.split(","):
            try:
                network = ipaddress.ip_network(part.strip())
            except ValueError as error:
                raise ValueError("write the proxy's IP address or network, or several with commas") from error
            if network.prefixlen == 0:
                raise ValueError("this trusts everybody; name the proxy's own address")
        return proxy


class IngestSettings(Section):
    """Where adapters deliver frames.

    `auto_rooms` None means: on when the endpoint is on loopback. `curve` None means: on when it is not;
    `insecure` lets a network reach an endpoint without CURVE.
    """

    endpoint: str = "tcp://127.0.0.1:5570"
    auto_rooms: bool | None = None
    curve: bool | None = None
    insecure: bool = False
    window_blocks: Annotated[int, Field(ge=1, le=4096)] = 64

    @property
    def rooms_by_header(self) -> bool:
        """Whether an unknown link may create the room its header names."""
        return self.is_local if self.auto_rooms is None else self.auto_rooms

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the endpoint."""
        return self.endpoint.startswith(
            ("tcp://127.", "tcp://localhost", "tcp://[::1]", "ipc://", "inproc://")
        )

    @property
    def wants_keys(self) -> bool:
        """Whether senders need CURVE keys."""
        if self.curve is not None:
            return self.curve
        return not (self.is_local or self.insecure)

    @model_validator(mode="after")
    def _not_in_clear(self) -> Self:
        if not (self.is_local or self.wants_keys or self.insecure):
            raise ValueError(
                f"{self.endpoint} can be reached from other machines, and without CURVE anybody there could "
                "send frames or read them: leave ingest.curve on (`roomtone links enroll` gives an adapter "
                "its keys), listen on loopback, or set ingest.insecure = true behind a private network"
            )
        return self


class StoreSettings(Section):
    """The database; by default SQLite in the data folder."""

    url: str | None = None


class ModelSettings(Section):
    """Which shelves of models are loaded."""

    shelves: list[Literal["open", "research", "local"]] = Field(default=["open"])


class WindowSettings(Section):
    """Sliding windows, in seconds of capture time; late frames are waited for `lateness_s`."""

    length_s: Annotated[float, Field(gt=0, le=60)] = 4.0
    hop_s: Annotated[float, Field(gt=0, le=60)] = 1.0
    lateness_s: Annotated[float, Field(ge=0, le=10)] = 0.25

    @model_validator(mode="after")
    def _without_holes(self) -> Self:
        if self.hop_s > self.length_s:
            raise ValueError(f"hop_s {self.hop_s:g} is longer than length_s {self.length_s:g}")
        return self


class AdaptationSettings(Section):
    """How rooms get heads of their own.

    A candidate is asked about `shadow_s` seconds of windows beside what serves before it is activated;
    `budget_s` bounds how long methods are compared; with `strict` every class needs two recordings, and
    nothing is provisional.
    """

    shadow_s: Annotated[float, Field(ge=0, le=86400)] = 30.0
    budget_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    strict: bool = False


class SampleSettings(Section):
    """Labelled samples: how far back a room can be labelled, in memory, and how large an upload may be."""

    buffer_minutes: Annotated[float, Field(gt=0, le=120)] = 10.0
    buffer_mb: Annotated[float, Field(gt=0)] = 256.0
    max_upload_mb: Annotated[float, Field(gt=0, le=4096)] = 64.0


class RoomSeed(RoomConfig):
    """A room that `site.toml` creates if the store does not hold it yet."""

    room: Name


class LinkSeed(Section):
    """A link that `site.toml` creates if the store does not hold it yet."""

    link: Name
    room: Name
    nic: str

    @field_validator("nic")
    @classmethod
    def _known(cls, nic: str) -> str:
        if nic not in {"auto", *registry.names()}:
            raise ValueError(f"no NIC of that name; known: auto, {', '.join(registry.names())}")
        return nic


class Settings(BaseSettings):
    """All settings of one site."""

    model_config = SettingsConfigDict(env_prefix="ROOMTONE_", env_nested_delimiter="__", extra="forbid")

    data_dir: Path = Path("roomtone-data")
    server: ServerSettings = ServerSettings()
    ingest: IngestSettings = IngestSettings()
    bus: BusSettings = BusSettings()
    store: StoreSettings = StoreSettings()
    retention: RetentionSettings = RetentionSettings()
    models: ModelSettings = ModelSettings()
    window: WindowSettings = WindowSettings()
    samples: SampleSettings = SampleSettings()
    adaptation: AdaptationSettings = AdaptationSettings()
    outlets: OutletSettings = OutletSettings()
    auth: AuthSettings = AuthSettings()
    rooms: list[RoomSeed] = []
    links: list[LinkSeed] = []
    alert_rules: list[AlertRule] = []
    demo: bool = True

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments over environment; a file is read by `service.configuration`."""
        del settings_cls, dotenv_settings, file_secret_settings
        return init_settings, env_settings

    @property
    def store_file(self) -> Path:
        """SQLite file of the store, unless `store.url` names another store."""
        return self.data_dir.absolute() / "roomtone.sqlite3"

    @property
    def store_url(self) -> str:
        """SQLAlchemy URL of the store."""
        return self.store.url or f"sqlite:///{self.store_file}"

    @property
    def local_shelf(self) -> Path:
        """Folder of the shelf `local`: models of the site's own."""
        return self.data_dir.absolute() / "models"

    @property
    def curve_dir(self) -> Path:
        """Folder of the CURVE keys of this site and of those enrolled."""
        return self.data_dir.absolute() / "curve"

    @property
    def bus_key(self) -> Path:
        """File of the key that the parts of a site on several machines share."""
        return self.bus.key_file or self.curve_dir / "bus.key"

    @property
    def forward_dir(self) -> Path:
        """Folder of the enrolments of forwarders on old hosts, one folder a link."""
        return self.data_dir.absolute() / "forward"

    @property
    def socket_dir(self) -> Path:
        """Folder of the local bus sockets; short enough for the kernel whatever the data folder is called."""
        inside = self.data_dir.absolute() / "bus"
        if len(os.fsencode(inside)) <= _SOCKET_PATH_LIMIT:
            return inside
        digest = hashlib.sha256(os.fsencode(inside)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"roomtone-{os.getuid()}-{digest}"


class _Told(Settings):
    """Settings of values alone: nothing else is looked at."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given, and nothing else."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


def settings_of(values: Mapping[str, Any]) -> Settings:
    """Settings of nested values; `service.configuration` gathers them from file, environment and flags.

    Raises:
        pydantic.ValidationError: a key is unknown or a value does not fit.
    """
    return _Told(**values)
