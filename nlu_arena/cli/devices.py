"""Which devices a sweep uses."""

from __future__ import annotations

from nlu_arena.errors import CannotStartError, UsageError
from nlu_arena.hardware import Device, find_devices


def choose_devices(name: str | None, jobs: int) -> list[Device]:
    """Return the devices of a sweep: the named one, or the fastest kind's first `jobs`.

    Raises:
        UsageError: `jobs` does not fit to one device.
        CannotStartError: There is no such device, or there are not as many.
    """
    devices = find_devices()
    if name is not None:
        if jobs > 1:
            raise UsageError("--device names one device, --jobs wants several", "Leave one of them out.")
        wanted = "cuda:0" if name == "cuda" else name
        chosen = [device for device in devices if device.name == wanted]
        if not chosen:
            raise CannotStartError(
                f"there is no device {name!r} here that torch can use",
                f"There is {', '.join(device.name for device in devices)}.",
            )
        return chosen
    fastest = [device for device in devices if device.kind == devices[0].kind]
    if jobs > len(fastest):
        have = ", ".join(device.name for device in fastest)
        raise CannotStartError(
            f"--jobs {jobs} needs {jobs} devices of a kind, here is {have}",
            "Each worker has a device to itself; leave --jobs out to use one.",
        )
    return fastest[:jobs]
