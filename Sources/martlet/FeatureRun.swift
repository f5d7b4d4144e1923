import LockFreeRings
import MarketIngest
import SignalFeatures
import TradingEngine
import TradingTypes

/// A model that has no opinion: the pipeline then computes features, bars, regimes and volatility and decides nothing.
struct NoModel: Forecaster {
  func forecast(_ features: borrowing FeatureVector, for instrument: InstrumentID, at time: Timestamp) -> Forecast {
    .unusable
  }
}

/// Venues that take nothing, for pipelines that decide nothing.
struct NoVenue: VenueGateway {
  func send(_ order: ChildOrder, at time: Timestamp) -> Bool { false }
  func nextReport(by time: Timestamp) -> InstrumentID? { nil }
  func receive(by time: Timestamp, market: borrowing DepthView) -> ExecutionReport? { nil }
}

/// A sink that keeps nothing.
struct NoSink: DecisionSink {
  func record(_ decision: borrowing Decision, plan: borrowing RoutePlan) {}
  func record(_ report: borrowing ExecutionReport) {}
}

/// One pipeline that computes features over one bar span.
final class FeatureRun {
  var pipeline: TradingPipeline<NoModel, NoVenue, NoProbe, NoSink>
  var vector = FeatureVector()
  /// Slots that had a value at least once.
  var seen = FeatureMask()
  private let symbols: [Symbol]
  private let arena: Arena

  init(
    _ configuration: EngineConfiguration, _ directory: InstrumentDirectory, _ midnight: Timestamp, spanSeconds: Int64
  ) throws {
    var configuration = configuration
    configuration.bars.primarySeconds = spanSeconds
    configuration.capacity.restingOrders = 1 << 20
    arena = Arena(capacityBytes: 2 << 30)
    symbols = directory.instruments.map(\.symbol)
    let control: EngineControl
    do { control = try EngineControl(in: arena) } catch { throw ToolFailure.badInput(error) }
    do {
      pipeline = try TradingPipeline(
        configuration: configuration, instruments: directory, midnight: midnight, model: NoModel(), gateway: NoVenue(),
        probe: NoProbe(), sink: NoSink(), control: control, in: arena)
    } catch { throw ToolFailure.badInput(error) }
  }

  /// A decoder with the same instruments.
  func makeDecoder(_ midnight: Timestamp) -> ItchDecoder {
    guard let map = try? InstrumentMap(listed: symbols, in: arena) else {
      preconditionFailure("FeatureRun: the symbols of a directory are distinct and fit ITCH")
    }
    return ItchDecoder(midnight: midnight, venue: VenueID(index: 0), map: map, in: arena)
  }

  /// Fills `vector` for the only instrument.
  func evaluate(at time: Timestamp) {
    let id = InstrumentID(index: 0)
    pipeline.features.vector(of: id, depth: pipeline.books[depth: id], at: time, into: &vector)
  }
}
