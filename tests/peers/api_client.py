"""A stranger's program on a client that `openapi-python-client` has generated; no line of it is ours.

``python api_client.py FOLDER URL KEY`` finds the package `generated` in FOLDER, makes a room, reads it back,
is refused, and prints what it saw as JSON.
"""

import json
import sys


def main(folder: str, url: str, key: str) -> None:
    """Talk to the server through the generated functions and types."""
    sys.path.insert(0, folder)
    from generated import AuthenticatedClient  # type: ignore[import-not-found]
    from generated.api.access import make_key  # type: ignore[import-not-found]
    from generated.api.rooms import read_room, read_rooms, write_room  # type: ignore[import-not-found]
    from generated.api.states import read_all_states  # type: ignore[import-not-found]
    from generated.models import KeyBody, KeyBodyRole, RoomConfig  # type: ignore[import-not-found]

    with AuthenticatedClient(base_url=url, token=key) as client:
        made = write_room.sync_detailed(
            "gallery", client=client, body=RoomConfig(name="Gallery", capacity=12)
        )
        room = read_room.sync("gallery", client=client)
        states = read_all_states.sync(client=client)
        new = make_key.sync(client=client, body=KeyBody(role=KeyBodyRole.VIEWER, room="gallery"))
        missing = read_room.sync_detailed("nowhere", client=client)
        seen = {
            "made": int(made.status_code),
            "name": room.name,
            "capacity": room.capacity,
            "rooms": [one.room for one in read_rooms.sync(client=client).items],
            "tasks": [task.task for task in states.items[0].tasks],
            "key": new.key[:3],
            "missing": [int(missing.status_code), missing.parsed.type_],
        }
    print(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
