"""The process that serves the device, killed and started again beside a worker that goes on."""

from pathlib import Path

from service.settings import Settings
from tests.outlets.bacnet.panel import Panel
from tests.outlets.bacnet.site import Site
from tests.outlets.site import OutletsProcess
from tests.service.running import PretendedWorker


async def test_numbers_and_held_values_outlive_a_killed_process(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    site = Site(tmp_path, store=settings.store_url)
    for room in ("attic", "lab"):
        site.put_room(room)
    site.put_state("lab", "presence", None, status="unknown", reason="stale", last_known={"value": "vacant"})
    section = {"ADDRESS": "127.0.0.1", "PORT": str(site.port)}
    environment = {f"ROOMTONE_OUTLETS__BACNET__{name}": value for name, value in section.items()}
    process = OutletsProcess(tmp_path, **environment)
    with PretendedWorker(settings):
        async with Panel(site.port) as panel:
            with process:
                device, objects = await panel.find(), await panel.objects()
                assert await panel.point("binary-input,2") == ("inactive", "fault", "communication-failure")
            site.delete_room("attic")
            site.put_room("attic")
            with process:
                assert await panel.find() == device
                again = await panel.objects()
                assert await panel.point("binary-input,2") == ("inactive", "fault", "communication-failure")
    kept = {thing: name for thing, name in objects.items() if name.startswith("lab/")}
    made = {thing.replace(",1", ",3"): name for thing, name in objects.items() if name.startswith("attic/")}
    assert again == kept | made
    site.store.close()
