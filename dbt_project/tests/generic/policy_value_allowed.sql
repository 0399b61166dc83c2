{% test policy_value_allowed(model) %}
    select model.policy
    from {{ model }} as model
    left join {{ ref('policy_values') }} as policy_values
        on model.policy = policy_values.policy and model.value = policy_values.value
    where policy_values.policy is null
{% endtest %}
