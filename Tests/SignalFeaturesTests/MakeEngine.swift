import LockFreeRings
import SignalFeatures

/// One instrument's engine with a configuration, in an arena of its own.
func makeEngine(
  instruments: Int = 1, _ change: (inout FeatureConfiguration) -> Void = { _ in }
) throws -> FeatureEngine {
  var configuration = FeatureConfiguration()
  change(&configuration)
  return try FeatureEngine(
    instrumentCount: instruments, configuration: configuration, in: Arena(capacityBytes: instruments << 20))
}
