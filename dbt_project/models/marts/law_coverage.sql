{#- Which models decide by which paragraph: the models' own metadata say so. -#}
{%- set models = {} -%}
{%- set nodes = (graph.nodes.values() if execute else [])
    | selectattr('resource_type', 'equalto', 'model') | sort(attribute='name') -%}
{%- for node in nodes -%}
{%- for paragraph in node.config.meta.get('paragraphs', []) -%}
{%- do models.setdefault(paragraph, []).append(node.name) -%}
{%- endfor -%}
{%- endfor -%}

-- Every paragraph of the Rules and the form annexed to them: computed by models, or listed
-- with the reason it is not. A computed paragraph that no model claims ends the run.
with editions as (
    select
        paragraphs.*,
        row_number() over (
            partition by paragraphs.paragraph
            order by
                paragraphs.recorded_on <= run_context.known_at desc nulls last,
                paragraphs.valid_from <= run_context.as_of desc nulls last,
                paragraphs.valid_from desc nulls last,
                paragraphs.recorded_on desc nulls last,
                paragraphs.edition desc nulls last
        ) as nth
    from {{ ref('paragraphs') }} as paragraphs
    cross join {{ ref('run_context') }} as run_context
),

claimed as (
    select
        '' as paragraph,
        '' as model
    {%- for paragraph, names in models.items() %}
    {%- for name in names %}
    union all
    select
        '{{ paragraph }}' as paragraph,
        '{{ name }}' as model
    {%- endfor %}
    {%- endfor %}
),

-- a model that editions name computes those alone
computing as (
    select
        editions.paragraph,
        {{ joined('claimed.model') }} as models
    from editions
    inner join claimed on editions.paragraph = claimed.paragraph
    left join {{ ref('rules') }} as rules
        on
            editions.paragraph = rules.paragraph
            and editions.edition = rules.edition
            and claimed.model = rules.model
    where
        editions.nth = 1
        and (
            rules.model is not null
            or not exists (
                select 1
                from {{ ref('rules') }} as named
                where
                    named.paragraph = claimed.paragraph
                    and named.model = claimed.model
            )
        )
    group by editions.paragraph
),

claims as (
    select
        editions.paragraph,
        editions.status,
        coalesce(computing.models, '') as models,
        editions.title_en as title,
        editions.title_ru,
        editions.title_kk,
        editions.reason
    from editions
    left join computing on editions.paragraph = computing.paragraph
    where editions.nth = 1
),

final as (
    select
        paragraph,
        case
            when status = 'computed' and models = ''
                then {{ fail("concat('no model computes ', paragraph)") }}
            when status <> 'computed' and reason is null
                then {{ fail("concat('no reason why nothing computes ', paragraph)") }}
            else status
        end as status,
        models,
        title,
        title_ru,
        title_kk,
        reason
    from claims
)

select * from final
