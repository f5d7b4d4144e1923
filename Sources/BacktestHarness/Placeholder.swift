// BacktestHarness
