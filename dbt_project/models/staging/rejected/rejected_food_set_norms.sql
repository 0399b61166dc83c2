{{ rejected_rows('food_set_norms') }}
