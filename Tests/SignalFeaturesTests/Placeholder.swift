// SignalFeaturesTests
