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
  public var artifact: ModelArtifact { didSet { modelBytes = Self.modelBytes(artifact, directory) } }
  /// Kernels of the model; all give the same bits.
  public var kernels: KernelSet
  /// Start of the feed's day.
  public var midnight: Timestamp
  /// Refits that every pipeline repeats: those of a run's journal; nil for none.
  public var refits: RefitPlan?

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
    modelBytes = Self.modelBytes(artifact, directory)
  }

  /// Address space for one pipeline of this setup; memory is used only as it is taken.
  public var arenaBytes: Int {
    // Generous sizes of a resting order with its share of every index, of an instrument, and of an own order.
    let capacity = configuration.capacity
    return Int(capacity.restingOrders) * 512 + directory.count * (256 << 10) + Int(capacity.openOrders) * 1_024
      + Int(capacity.windowTicks) * directory.count * 32 + (512 << 20) + modelBytes
  }

  // What the model takes; one that the engine cannot run takes nothing, and is refused when a pipeline is made.
  private var modelBytes = 0

  private static func modelBytes(_ artifact: ModelArtifact, _ directory: InstrumentDirectory) -> Int {
    (try? Ensemble.arenaBytes(for: artifact, instrumentCount: directory.count)) ?? 0
  }

  /// A pipeline in its start state, with its own memory.
  public func makePipeline<Probe: PipelineProbe & ~Copyable, Sink: DecisionSink & ~Copyable>(
    probe: consuming Probe, sink: consuming Sink, control: EngineControl? = nil,
    arena: Arena? = nil
  ) throws(ConfigurationError) -> ReplayPipeline<Probe, Sink> {
    let arena = arena ?? Arena(capacityBytes: arenaBytes)
    return try makePipeline(
      gateway: makeVenues(in: arena), probe: probe, sink: sink, control: control, in: arena)
  }

  /// The simulated venues of the configuration.
  public func makeVenues(in arena: Arena) throws(ConfigurationError) -> SimulatedVenues {
    try SimulatedVenues(
      venues: configuration.venueDirectory(), split: configuration.displaySplit(), instruments: directory,
      latency: TimeSpan(nanoseconds: configuration.venueLatencyNanoseconds),
      queueCapacity: Int(configuration.capacity.openOrders), in: arena)
  }

  /// A pipeline in its start state over a gateway of the caller's.
  public func makePipeline<
    Gateway: VenueGateway & ~Copyable, Probe: PipelineProbe & ~Copyable, Sink: DecisionSink & ~Copyable
  >(
    gateway: consuming Gateway, probe: consuming Probe, sink: consuming Sink, control: EngineControl?, in arena: Arena
  ) throws(ConfigurationError) -> TradingPipeline<Ensemble, Gateway, Probe, Sink> {
    let ensemble: Ensemble
    do throws(ArtifactError) {
      ensemble = try Ensemble(artifact, instrumentCount: directory.count, kernels: kernels, in: arena)
    } catch { throw ConfigurationError(error.description) }
    let shared: EngineControl
    if let control { shared = control } else { shared = try makeControl(in: arena) }
    var pipeline = try TradingPipeline(
      configuration: configuration, instruments: directory, midnight: midnight, model: ensemble, gateway: gateway,
      probe: probe, sink: sink, control: shared, in: arena)
    if let refits {
      do throws(RingError) {
        pipeline.refits = OwnedBox(try RefitDesk(instrumentCount: directory.count, plan: refits, in: arena))
      } catch { throw ConfigurationError("refits: \(error)") }
    }
    return pipeline
  }

  /// A control in the mode of the configuration.
  public func makeControl(in arena: Arena) throws(ConfigurationError) -> EngineControl {
    do throws(ArenaError) {
      return try EngineControl(policy: .standard(configuration.mode), in: arena)
    } catch { throw ConfigurationError(error.description) }
  }
}
