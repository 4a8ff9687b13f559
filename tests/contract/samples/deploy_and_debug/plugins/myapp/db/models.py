"""From the page "Deploy and debug", section "The apps repo layout": sub-packages are fine."""

TABLE = "sessions"
