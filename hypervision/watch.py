"""`watch`: what must happen when no reading follows.

Delays that end, Things that fall silent, alarms whose rule changed, the timers of the desk, and the tidying of tables.
Every expiry is written as a transition, so that a replay of readings and transitions gives the same alarms.
"""

from __future__ import annotations

import logging
import signal
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import numpy as np

from hypervision import computing, editing, grouping, rollups, talking
from hypervision.alarms import Expiry, Reading, RuleChange, apply
from hypervision.attending import Attending
from hypervision.clock import EPOCH, to_us
from hypervision.errors import PermanentStoreError, TemporaryStoreError
from hypervision.evaluation import delays
from hypervision.flowing import KEY, Held, holding
from hypervision.intake import Intake
from hypervision.keeping import Keeper
from hypervision.minding import Minding
from hypervision.plan import Plan
from hypervision.pulse import Heart
from hypervision.purging import Daily
from hypervision.rules import Rule, RuleSet
from hypervision.settings import Settings
from hypervision.stepping import Stepper
from hypervision.store import alarms as alarm_store
from hypervision.store import proposing
from hypervision.store import watch as watch_store
from hypervision.store.alarms import Case, Source, Standing
from hypervision.store.connection import url_of
from hypervision.store.writer import Writer
from hypervision.wording import stale_message

_log = logging.getLogger(__name__)

TICK: Final = 1.0
_SILENCE_EVERY: Final = 5
_SECOND_LOOK_EVERY: Final = 10
_TIDY_EVERY: Final = 300
# After an outage the backlog comes first; silence is judged only when readings have flowed this long.
_SETTLE: Final = timedelta(seconds=60)
# So far a clock may go back without having been set: what is corrected gently.
_SET_BACK: Final = timedelta(seconds=10)
_LOUDER: Final = {"low": "medium", "medium": "high", "high": "high", "critical": "critical"}

_Rules = dict[Source, tuple[Rule, int | None]]


class Watch:
    """The timers of one installation."""

    def __init__(self, intake: Intake, settings: Settings) -> None:
        self.intake = intake
        self.settings = settings
        self._derived = [f"{p.domain}/{p.name}" for p in intake.streams.properties if p.derived]
        self._flowing_since: datetime | None = None
        self._looked = EPOCH
        self._jumps = intake.clock.jumps
        self._seen: RuleSet | None = None
        self._wrong: dict[int, str] | None = None
        self._ticks = 0
        self._purge = Daily(settings.rejected.keep_days)
        self._attending = Attending(settings.alarms)
        self._minding = Minding(settings)
        self._held: Held | None = Held("none", ())
        self._held_since: datetime | None = None
        # What a collector had in hand when it died comes again when the broker's patience ends, not before: until
        # then a delay may be ended by a reading that is still under way.
        self._redelivered = timedelta(seconds=settings.broker.ack_wait + settings.alarms.grace)

    def tick(self, now: datetime) -> int:
        """Do what is due now; called once a second. Returns how many alarm transitions were written."""
        flowing = self._flowing(now)
        steps = self._edit_rules(now)
        if self._ticks % _SECOND_LOOK_EVERY == 0 or self._rules_changed():
            self.intake.know_all()
            steps += self._second_look(now)
        flowed = timedelta(0) if self._flowing_since is None else now - self._flowing_since
        if flowing and flowed >= self._redelivered:
            steps += self.intake.transact(lambda writer, stepper: self._expire(writer, stepper, now))
        if flowed >= _SETTLE and self._ticks % _SILENCE_EVERY == 0:
            steps += self.intake.transact(lambda writer, stepper: self._silence(writer, stepper, now))
        if self._ticks % _SILENCE_EVERY == 0:
            for step in (talking.step, self._minding.step, grouping.step):
                steps += self.intake.transact(partial(step, now=now))
            steps += self._compute(now)
        steps += self._attend(now)
        if self._ticks % _TIDY_EVERY == 0:
            self._tidy(now)
        self._ticks += 1
        # Last: whatever holds it up holds up nothing else.
        if self._purge.due(now):
            with self.intake.between() as connection:
                self._purge.step(connection, now=now)
        return steps

    def beat(self, age: float = 0.0) -> None:
        """Publish that the timers run, or what holds them and for how long."""
        held = self._held
        self.intake.beat(age=age, detail={"flowing": held is None, **({KEY: held.told()} if held else {})})

    def _flowing(self, now: datetime) -> bool:
        """Whether readings flow; a timer that ran while they are held up would ring for the platform's own fault."""
        with self.intake.between() as connection:
            writers = watch_store.flow(connection)
        held = holding(writers, most=self.settings.ingest.batch_size)
        if now < self._looked - _SET_BACK or self._jumps != self.intake.clock.jumps:
            # The database's clock was set. How long readings have flowed, or not, is counted anew: nothing was heard
            # in the hours that no reading could be of, and timers must not wait for a time that is days ahead.
            self._flowing_since = self._held_since = None
        self._looked, self._jumps = now, self.intake.clock.jumps
        if held is None:
            self._held_since = None
            self._flowing_since = self._flowing_since or now
        else:
            self._flowing_since = None
            self._held_since = self._held_since or now
            held = replace(held, seconds=(now - self._held_since).total_seconds())
        self._held = held
        return held is None

    def _expire(self, writer: Writer, stepper: Stepper, now: datetime) -> tuple[list[Case], int]:
        """End delays that no reading ended."""
        limit = now - timedelta(seconds=self.settings.alarms.grace)
        due = watch_store.due(writer.connection, limit)
        held = watch_store.replayed(writer.connection, due)
        # Parts of the platform and groups wait for no reading: they are judged at each look.
        rules = self._rules([s for s in due if s not in held and s.kind in ("datastream", "thing")], stepper)
        return self._feed(rules, Expiry(to_us(limit)), writer, stepper, now=now)

    def _edit_rules(self, now: datetime) -> int:
        """Put approved rules in force whose time has come, one after the other."""
        with self.intake.between() as connection:
            due = proposing.due(connection, now=now)
        steps = 0
        for proposal_id in due:
            self.intake.know_all()
            seen = not self._rules_changed()
            catalogue, grace = self.intake.streams.catalogue, timedelta(seconds=self.settings.alarms.grace)
            work = editing.put_in_force(proposal_id, self._newest, catalogue, grace=grace, now=now)
            try:
                steps += self.intake.transact(work, tell=True, exclusive=True)
            except BaseException as error:
                # What it has read of a version that was not committed counts for nothing.
                self.intake.evaluator.use_rules(editing.NOTHING)
                if not isinstance(error, PermanentStoreError):
                    raise
                # One that the database refuses for good must not hold up the timers.
                _log.error("proposal %d cannot be put in force: %s", proposal_id, error)
                with self.intake.between() as connection:
                    proposing.give_up(connection, proposal_id, str(error), now=now)
                    connection.commit()
                continue
            if seen:
                # The newest values were judged with the edit itself.
                self._seen = self.intake.evaluator.rules
        return steps

    def _compute(self, now: datetime) -> int:
        """Judge the rules with a formula, and say what is wrong with rules."""
        wrong = dict(self.intake.evaluator.rules.faults)

        def work(writer: Writer, stepper: Stepper) -> tuple[list[Case], int]:
            made = computing.step(writer, stepper, self._newest(writer), wrong, now=now)
            if wrong != self._wrong:
                proposing.note_health(writer.connection, wrong, now=now)
            return made

        if not wrong and not self._wrong and not any(rule.formula for rule in self.intake.evaluator.rules.rules):
            return 0
        steps = self.intake.transact(work)
        self._wrong = wrong
        return steps

    def _second_look(self, now: datetime) -> int:
        """Compare every newest value with the rules in force: at a changed rule, and against races of writers."""
        steps = self.intake.transact(lambda writer, stepper: self._rule_changes(writer, stepper, now))
        if self._rules_changed():
            steps += self.intake.transact(lambda writer, stepper: self._loosened(writer, stepper, now))
            self._seen = self.intake.evaluator.rules
        return steps + self.intake.transact(lambda writer, stepper: self._compare(writer, stepper, now))

    def _rules_changed(self) -> bool:
        return self._seen is None or self._seen.version != self.intake.evaluator.rules.version

    def _rule_changes(self, writer: Writer, stepper: Stepper, now: datetime) -> tuple[list[Case], int]:
        rules = self._rules(watch_store.strays(writer.connection), stepper)
        return self._feed(rules, RuleChange(to_us(now)), writer, stepper, now=now)

    def _loosened(self, writer: Writer, stepper: Stepper, now: datetime) -> tuple[list[Case], int]:
        """Conditions whose newest value does not violate their rule as it is now, and did as it was."""
        values = self._newest(writer)
        quiet: list[Source] = []
        for layer in range(stepper.evaluator.limits.layers):
            violates, _ = stepper.evaluator.limits.judge(
                layer, values.slot, values.result, np.full(len(values), np.nan), values.time_us
            )
            ids = stepper.evaluator.limits.rule_ids(layer, values.slot)
            quiet += [
                Source("datastream", int(values.datastream_id[i]), int(ids[i]))
                for i in np.nonzero(~violates & (ids > 0))[0]
            ]
        standing = alarm_store.standing(writer.connection)
        rules = self._rules([source for source in quiet if source in standing], stepper)
        rules = {
            source: pair
            for source, pair in rules.items()
            if pair[0].kind != "rate_of_change" and self._judged_anew(pair, standing[source], stepper)
        }
        return self._feed(rules, RuleChange(to_us(now)), writer, stepper, now=now)

    def _judged_anew(self, pair: tuple[Rule, int | None], standing: Standing, stepper: Stepper) -> bool:
        """Whether a condition stands under limits that are no longer those of its rule.

        A reading inside the deadband does not violate either: only a rule that changed may return its alarm.
        """
        rule, slot = pair
        if standing.phase == "pending" or slot is None:
            return True
        thing_id = int(stepper.streams.thing_id[slot])
        now = stepper.evaluator.rules.for_thing(rule, thing_id)
        before = None if self._seen is None else self._seen.by_id().get(rule.rule_id)
        if rule.windows and (self._seen is None or before is None):
            # The limit of the alarm was that of its hour.
            return not now.enabled
        if self._seen is None or before is None:
            # After a start only the alarm itself tells which limit it was raised at.
            return standing.limit != now[0] or not now[2]
        return (before.kind, *self._seen.for_thing(before, thing_id)) != (rule.kind, *now)

    def _compare(self, writer: Writer, stepper: Stepper, now: datetime) -> tuple[list[Case], int]:
        values = self._newest(writer)
        return stepper.step(values, np.ones(len(values), np.bool_), writer, now=now, again=True)

    def _newest(self, writer: Writer) -> Plan:
        """Newest values in the shape of a planned batch, history left out."""
        found = watch_store.newest(writer.connection)
        streams = self.intake.streams
        slot_of = {int(d): s for s, d in enumerate(streams.datastream_id[: len(streams)]) if d >= 0}
        slots = np.array([slot_of.get(int(d), -1) for d in found.datastream_id], np.int32)
        use = (slots >= 0) & found.live
        n = int(use.sum())
        return Plan(
            row=np.arange(n, dtype=np.int32),
            message=np.zeros(n, np.int32),
            slot=slots[use],
            datastream_id=found.datastream_id[use],
            time_us=found.time_us[use],
            result=found.result[use],
            quality=found.quality[use],
            received_us=found.received_us[use],
            late=np.zeros(n, np.bool_),
            backward=np.zeros(n, np.bool_),
            refusals=[],
        )

    def _silence(self, writer: Writer, stepper: Stepper, now: datetime) -> tuple[list[Case], int]:
        """Overdue Things ring once, by the rule of their domain; stale ones are said louder."""
        now_us = to_us(now)
        silence = {rule.domain: rule for rule in stepper.evaluator.rules.rules if rule.kind == "silence"}
        standing = alarm_store.standing(writer.connection)
        rules: _Rules = {}
        events: dict[Source, Reading | RuleChange] = {}
        periods: dict[Source, tuple[int, int]] = {}
        overdue_from: dict[Source, int] = {}
        for thing in watch_store.silences(writer.connection, self._derived, now=now):
            rule = silence.get(thing.domain)
            if rule is None:
                continue
            limit, _, enabled = stepper.evaluator.rules.for_thing(rule, thing.thing_id)
            source = Source("thing", thing.thing_id, rule.rule_id)
            overdue_us = thing.last_us + int(limit * thing.period_us)
            overdue = enabled and now_us > overdue_us
            # What is known by import only is not waited for; an alarm that stands is not ended by an import.
            if source not in standing and not (overdue and thing.sends):
                continue
            rules[source] = (rule, None)
            minutes = (now_us - thing.last_us) / 60e6
            if not enabled or (not overdue and standing[source].limit not in (None, limit)):
                events[source] = RuleChange(now_us)
            else:
                events[source] = Reading(overdue_us if overdue else thing.last_us, overdue, not overdue, minutes)
            periods[source], overdue_from[source] = (thing.last_us, thing.period_us), overdue_us
        cases = alarm_store.lock(writer.connection, rules)
        for case in cases:
            event = events[case.source]
            last_us = periods[case.source][0]
            if isinstance(event, RuleChange) and last_us > case.alarm.since_us:
                event = Reading(last_us, violates=False, clears=True, value=0.0)  # it was heard again meanwhile
            if isinstance(event, Reading):
                # What ends a silence is that the Thing is heard, and no clock that was set back.
                unheard = case.alarm.phase == "active" and overdue_from[case.source] <= case.alarm.since_us
                event = event._replace(at_us=max(event.at_us, case.alarm.last_us), clears=event.clears and not unheard)
            case.alarm, case.steps = apply(case.alarm, event, delays(rules[case.source][0]))
        steps = stepper.write(cases, rules, writer.connection, now=now)
        for case in cases:
            steps += self._louder(case, rules[case.source][0], periods[case.source], writer, now)
        return cases, steps

    def _louder(self, case: Case, rule: Rule, heard: tuple[int, int], writer: Writer, now: datetime) -> int:
        last_us, period_us = heard
        stale_us = int(self.settings.alarms.stale_periods * period_us)
        if case.alarm.phase != "active" or case.alarm_id is None or to_us(now) - last_us <= stale_us:
            return 0
        return int(
            watch_store.escalate(
                writer.connection,
                case.alarm_id,
                message=stale_message(rule, stale_us / 60e6, self.settings.language),
                priority=_LOUDER[rule.priority],
                state=case.alarm.state,
                rule_version=rule.version,
                now=now,
            )
        )

    def _rules(self, sources: list[Source], stepper: Stepper) -> _Rules:
        """Rule and slot of sources; those that this process cannot name are left for later."""
        by_id = stepper.evaluator.rules.by_id()
        streams = stepper.streams
        slot_of = {int(d): s for s, d in enumerate(streams.datastream_id[: len(streams)]) if d >= 0}
        found: _Rules = {}
        for source in sources:
            rule = by_id.get(source.rule_id)
            slot = slot_of.get(source.source_id) if source.kind == "datastream" else None
            if rule is not None and (source.kind != "datastream" or slot is not None):
                found[source] = (rule, slot)
        return found

    def _feed(
        self, rules: _Rules, event: Expiry | RuleChange, writer: Writer, stepper: Stepper, *, now: datetime
    ) -> tuple[list[Case], int]:
        """Lock conditions, give each the same event, write what it made of them."""
        cases = alarm_store.lock(writer.connection, rules)
        for case in cases:
            case.alarm, case.steps = apply(case.alarm, event, delays(rules[case.source][0]))
        return cases, stepper.write(cases, rules, writer.connection, now=now)

    def _attend(self, now: datetime) -> int:
        """What time does to alarms at the desk."""
        with self.intake.between() as connection:
            due = self._attending.due(connection, now=now)
        return sum(self.intake.transact(work) for work in due)

    def _tidy(self, now: datetime) -> None:
        """Make room for the days ahead, remove what is over."""
        days = np.array([to_us(now + timedelta(days=ahead)) for ahead in range(3)], np.int64)
        self.intake.ensure_days(days, now=now)
        with self.intake.between() as connection:
            watch_store.tidy(connection, now=now)


def run(settings: Settings, *, stop: threading.Event) -> None:
    """Tick once a second until `stop` is set; a database that is away is waited for."""
    intake = Intake.open(settings, writer="watch")
    watch = Watch(intake, settings)
    rolling = rollups.Roller(url_of(settings), zone=settings.timezone)
    rolling.start()
    keeping = Keeper(url_of(settings), settings.storage, clock=intake.clock.now)
    keeping.start()
    intake.metrics.gauge("queue_length", lambda: rolling.due, label="rollup_hours")
    intake.metrics.gauge("rollup_age_seconds", rolling.age)
    quiet = 0
    try:
        with Heart(watch.beat, intake.pulse):
            while not intake.pulse.rest(stop, TICK):
                rolling.check()
                keeping.check()
                try:
                    watch.tick(intake.clock.now())
                    quiet = 0
                except TemporaryStoreError as error:
                    if quiet == 0:
                        _log.warning("%s; trying again", error)
                    quiet = (quiet + 1) % 60
    finally:
        rolling.stop()
        keeping.stop()
        intake.close()


def main(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run(settings, stop=stop)
    return 0
