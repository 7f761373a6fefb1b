"""Served names: which versions answer behind them, how a canary is judged, and who keeps the workers up."""
