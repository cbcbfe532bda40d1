-- part: in_scope
-- Whether the Thing `t` is in the scope of an account: the twin of hypervision.scope.Scope.holds. Of what is of no Thing,
-- where `t` is joined from the left, it holds for the whole town alone.
(%(scope_organisation)s::int IS NULL OR t.organisation_id = %(scope_organisation)s::int)
  AND (%(scope_domains)s::text[] IS NULL OR t.domain = ANY(%(scope_domains)s::text[]))
  AND (%(scope_districts)s::text[] IS NULL OR t.district = ANY(%(scope_districts)s::text[]))

-- part: everything
-- Whether the scope is the whole town.
%(scope_whole)s::boolean

-- part: code_in_scope
-- The same of a row `x` that names its Thing by a code, which may be that of no Thing: such a row is the whole town's.
%(scope_whole)s::boolean OR x.thing IN (SELECT t.code FROM hv.thing t WHERE -- part: in_scope
)

-- name: scope_holds
-- Whether there is such a Thing in a scope.
SELECT EXISTS (SELECT FROM hv.thing t WHERE t.code = %(thing)s AND -- part: in_scope
)
