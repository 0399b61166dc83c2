"""What Airflow reads by name when it starts: the timetable of `eligibility`."""

from airflow.plugins_manager import AirflowPlugin

from komek.wiring.days import DaysOfRegistries, EarlierDayFirst


class KomekPlugin(AirflowPlugin):
    """Names what is komek's own in Airflow."""

    name = "komek"
    timetables = [DaysOfRegistries]  # noqa: RUF012  (Airflow's attribute)
    priority_weight_strategies = [EarlierDayFirst]  # noqa: RUF012  (as above)
