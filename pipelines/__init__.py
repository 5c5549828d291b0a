"""Where the assets become jobs, schedules and sensors. ``definitions`` is the only module that assembles."""
