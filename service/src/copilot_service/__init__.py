"""What every process shares: structured logs, its own metrics, liveness, and a clean stop.

settings = read_settings(WorkerSettings)          # the environment, once; names what is wrong
service = Service("worker", settings)
sys.exit(service.run(main))                       # main: async (Service) -> None
"""

from copilot_service.logs import configure_logs
from copilot_service.process import Service, run_process
from copilot_service.settings import LogFormat, LogLevel, ServiceSettings, read_settings

__all__ = [
    "LogFormat",
    "LogLevel",
    "Service",
    "ServiceSettings",
    "configure_logs",
    "read_settings",
    "run_process",
]
