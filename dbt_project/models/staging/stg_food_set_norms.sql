{{ accepted_rows('food_set_norms') }}
