"""
`python -m darkroom_trainer`: does the job at DARKROOM_JOB_URL. With `--describe` it prints the trainers and the parameters
that they take, and does nothing else. Exit codes: 0 succeeded, cancelled or superseded; 1 failed or terminated, and
reported; 2 could not even report. Environment:
  DARKROOM_JOB_URL             read address of the job document
  DARKROOM_EXECUTION, else CONTAINER_APP_JOB_EXECUTION_NAME  names this execution
  DARKROOM_TRAINER_THREADS     threads of the processor; two at most by default
  DARKROOM_EXECUTION_PROVIDER  auto (default), cpu or cuda
  DARKROOM_WEIGHTS             folder with files of weights, which jobs name by SHA-256
"""

import json
import sys


def main() -> int:
    """Imports late: --describe is asked for when a platform starts, and PyTorch takes seconds to load."""
    if sys.argv[1:] == ["--describe"]:
        from darkroom_trainer.parameters import describe

        print(json.dumps(describe()))
        return 0
    from darkroom_trainer.job import run_job

    try:
        return run_job()
    except Exception as error:  # the last resort: no report could be written
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
