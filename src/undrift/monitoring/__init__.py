"""Watching what is served: windows, drift, performance, quality, and the incidents that broken rules open."""
