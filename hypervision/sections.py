"""What a section of the settings is made of, and the sections of alarms and rules."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

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


class AccessibilitySettings(Section):
    """What the declaration of accessibility says of this installation; the rest of it is about the product."""

    # Who runs it, and how they are told what somebody cannot use.
    organisation: Annotated[str, Field(max_length=200)] = ""
    email: Annotated[str, Field(pattern=r"^([^@\s<>\"]{1,64}@[A-Za-z0-9.-]{1,190})?$")] = ""
    form: Annotated[str, Field(pattern=r"^(https?://[^\s<>\"]{1,500})?$")] = ""
    post: Annotated[str, Field(max_length=300)] = ""
    # What an audit after the RGAA found, where there was one: by whom, when, and how many criteria are met [%].
    audited_by: Annotated[str, Field(max_length=200)] = ""
    audited_on: date | None = None
    rate: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 0.0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.audited_by) != (self.audited_on is not None):
            raise ValueError("write who audited and when, or neither of both")
        return self
