-- A Thing that talks too much rings by a rule of its own kind.

ALTER TABLE hv.rule DROP CONSTRAINT rule_kind_check, DROP CONSTRAINT rule_check;
ALTER TABLE hv.rule
    ADD CONSTRAINT rule_kind_check
        CHECK (kind IN ('high', 'low', 'rate_of_change', 'state_equals', 'silence', 'talking')),
    ADD CONSTRAINT rule_check CHECK ((kind IN ('silence', 'talking')) = (property IS NULL));
