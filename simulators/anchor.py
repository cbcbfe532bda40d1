"""When the demo town began: kept beside its data, so that its faults go on over restarts."""

from __future__ import annotations

import json
from pathlib import Path

from hypervision.errors import HypervisionError

NAME = "town.json"


def keep(data_dir: Path, *, scenario: str, seed: int | None, now_us: int) -> tuple[int, int | None]:
    """The anchor of a scenario in a data directory: kept from its first start, else `now_us`.

    Returns
    -------
    (int, int or None)
        The instant relative times count from [us], and the seed it was begun with.

    Raises
    ------
    HypervisionError
        The file cannot be read.
    """
    path = data_dir / NAME
    try:
        found = json.loads(path.read_text("utf-8"))
        if found["scenario"] == scenario and (seed is None or found["seed"] == seed):
            return int(found["anchor_us"]), found["seed"]
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HypervisionError(
            f"{path} cannot be read ({error})", remedy="remove it; the town's faults begin anew"
        ) from None
    data_dir.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps({"scenario": scenario, "seed": seed, "anchor_us": now_us}), "utf-8")
    draft.replace(path)
    return now_us, seed
