public import EngineTelemetry
public import LockFreeRings
public import SimulatedVenue
public import TradingEngine
public import TradingTypes

/// The engine with the built-in ensemble and simulated venues: what bench, replay and backtests run.
public typealias ReplayPipeline<
  Probe: PipelineProbe & ~Copyable, Sink: DecisionSink & ~Copyable
> = TradingPipeline<Ensemble, SimulatedVenues, Probe, Sink>

/// Everything a replay is built from; builds as many equal pipelines as needed.
public struct ReplaySetup: Sendable {
  /// The configuration.
  public var configuration: EngineConfiguration
  /// The traded instruments.
  public var directory: InstrumentDirectory
  /// The model.
  public var artifact: ModelArtifact
  /// Kernels of the model; all give the same bits.
  public var kernels: KernelSet
  /// Start of the feed's day.
  public var midnight: Timestamp

  /// A setup.
  public init(
    configuration: EngineConfiguration, directory: InstrumentDirectory, artifact: ModelArtifact,
    kernels: KernelSet = .best, midnight: Timestamp = Timestamp(nanoseconds: 0)
  ) {
    self.configuration = configuration
    self.directory = directory
    self.artifact = artifact
    self.kernels = kernels
    self.midnight = midnight
  }

  /// Address space for one pipeline; memory is used only as it is taken.
  public static let arenaBytes = 4 << 30

  /// A pipeline in its start state, with its own memory.
  public func makePipeline<Probe: PipelineProbe & ~Copyable, Sink: DecisionSink & ~Copyable>(
    probe: consuming Probe, sink: consuming Sink, control: EngineControl? = nil,
    arena: Arena = Arena(capacityBytes: ReplaySetup.arenaBytes)
  ) throws(ConfigurationError) -> ReplayPipeline<Probe, Sink> {
    let venues = try SimulatedVenues(
      venues: configuration.venueDirectory(), split: configuration.displaySplit(), instruments: directory,
      latency: TimeSpan(nanoseconds: configuration.venueLatencyNanoseconds),
      queueCapacity: Int(configuration.capacity.openOrders), in: arena)
    let ensemble = Ensemble(artifact, kernels: kernels, in: arena)
    let shared: EngineControl
    if let control {
      shared = control
    } else {
      do throws(ArenaError) {
        shared = try EngineControl(policy: .standard(configuration.mode), in: arena)
      } catch { throw ConfigurationError(error.description) }
    }
    return try TradingPipeline(
      configuration: configuration, instruments: directory, midnight: midnight, model: ensemble, gateway: venues,
      probe: probe, sink: sink, control: shared, in: arena)
  }
}
