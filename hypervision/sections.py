"""What a section of the settings is made of, and the sections of alarms and rules."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from hypervision.shifts import USUAL, ShiftTimes

# Ten years: beyond it a sum of times overflows, and nobody means it.
Seconds = Annotated[float, Field(gt=0, le=315_360_000, allow_inf_nan=False)]
Pause = Annotated[float, Field(ge=0, le=31_536_000, allow_inf_nan=False)]
# A week at most: what is to be quiet for longer is out of service.
Shelf = Annotated[float, Field(ge=60, le=604_800, allow_inf_nan=False)]
Periods = Annotated[float, Field(ge=1, le=10_000, allow_inf_nan=False)]


class Section(BaseModel):
    """One section: unknown keys are refused, and nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AlarmSettings(Section):
    """The timers of `watch`."""

    # A timer waits this long past its time for readings still under way.
    grace: Seconds = 3.0
    stale_periods: Periods = 4.0
    # How long an operator may put an alarm on the shelf at most, by its priority [s].
    shelve_critical: Shelf = 3_600.0
    shelve_high: Shelf = 14_400.0
    shelve_medium: Shelf = 28_800.0
    shelve_low: Shelf = 43_200.0
    # After how long an acknowledged alarm that stays rings again [s]; 0 never. A rule may say otherwise.
    realarm_critical: Pause = 3_600.0
    realarm_high: Pause = 14_400.0
    realarm_medium: Pause = 0.0
    realarm_low: Pause = 0.0
    # After how long an alarm that nobody acknowledges is told to a role besides [s]; 0 never. A rule may say otherwise.
    escalate_critical: Pause = 300.0
    escalate_high: Pause = 900.0
    escalate_medium: Pause = 0.0
    escalate_low: Pause = 0.0
    escalate_to: Literal["operator", "engineer", "administrator"] = "engineer"
    # By these local times, and for so many people at work at once, alarms are counted.
    shifts: ShiftTimes = USUAL
    operators: Annotated[int, Field(ge=1, le=1_000)] = 1


class RuleSettings(Section):
    """Who may put rules in force, and the days that schedules know."""

    # In a small installation there is no second engineer: whoever proposes may approve.
    one_person: bool = False
    # Whose public holidays count; empty: none but those of `holidays`.
    country: Literal["", "be", "de", "es", "fr", "lu"] = "fr"
    # More of them, with commas: of one year (2026-12-24) or of each (12-26).
    holidays: Annotated[
        str, Field(pattern=r"^( *(\d{4}-)?\d{2}-\d{2} *(, *(\d{4}-)?\d{2}-\d{2} *){0,199})?$", max_length=4_000)
    ] = ""


class PlatformSettings(Section):
    """What of the platform itself is looked at."""

    # Folders with commas, each the whole path: the disks of these are watched besides that of the data directory.
    disks: Annotated[str, Field(pattern=r"^( */[^,\x00-\x1f]*(, */[^,\x00-\x1f]*)*)?$", max_length=4_000)] = ""
