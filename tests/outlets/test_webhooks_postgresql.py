"""PostgreSQL killed and restarted under load: what the log holds afterwards is what the receiver got."""

import threading
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from service.outlets.settings import OutletSettings, WebhookSettings
from service.settings import Settings, StoreSettings
from service.store.engine import Store, open_store
from service.store.eventlog import read_events
from tests.outlets.peers import Receiver
from tests.outlets.site import OutletsThread, append, hook
from tests.postgres import Server, why_not
from tests.service.running import wait_for

EVENTS = 200


def test_events_outlive_a_killed_database(tmp_path: Path) -> None:
    if reason := why_not():
        pytest.skip(reason)
    with Server() as server, Receiver(tmp_path) as receiver:
        name = server.database()
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            # What is committed shall survive, as on a server that is set up for use.
            connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = on".encode())
        webhooks = WebhookSettings(allow_private=True, ca_file=receiver.certificate)
        settings = Settings(
            data_dir=tmp_path,
            store=StoreSettings(url=server.url(name)),
            outlets=OutletSettings(webhooks=webhooks),
        )
        store = open_store(settings.store_url)
        hook(settings, receiver.url())
        with OutletsThread(settings):
            stopped = threading.Event()
            loading = threading.Thread(target=load, args=(store, stopped))
            loading.start()
            wait_for(receiver.events, "the first delivery")
            server.stop()
            stopped.set()
            server.start()
            loading.join(60)
            logged = {str(event.sequence) for event in read_events(store, after=0, limit=10 * EVENTS).events}
            wait_for(lambda: logged <= {event["id"] for event in receiver.events()}, "every event")
        assert {event["id"] for event in receiver.events()} == logged
        assert len(logged) >= EVENTS
        store.close()


def load(store: Store, stopped: threading.Event) -> None:
    """Append so many, half of them not before the database was stopped.

    One whose commit nobody confirmed is appended once more, as another event.
    """
    done = 0
    while done < EVENTS:
        if done == EVENTS // 2:
            stopped.wait(30)
        try:
            append(store)
        except sa.exc.OperationalError:
            threading.Event().wait(0.05)
            continue
        done += 1
