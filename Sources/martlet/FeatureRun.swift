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

/// A pipeline that computes the features of one instrument, with the blocks of its further timeframes.
final class FeatureRun {
  var pipeline: TradingPipeline<NoModel, NoVenue, NoProbe, NoSink>
  var vector = FeatureVector()
  /// A block for each further timeframe.
  private(set) var blocks: [BarBlock]
  /// Slots that had a value at least once: the vector's, then each block's.
  private(set) var seen: [FeatureMask]
  private let symbols: [Symbol]
  private let arena: Arena

  init(
    _ configuration: EngineConfiguration, _ directory: InstrumentDirectory, _ midnight: Timestamp
  ) throws {
    var configuration = configuration
    blocks = Array(repeating: BarBlock(), count: configuration.bars.further.count)
    seen = Array(repeating: FeatureMask(), count: 1 + blocks.count)
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

  /// Fills `vector` and `blocks` for the only instrument.
  func evaluate(at time: Timestamp) {
    let id = InstrumentID(index: 0)
    pipeline.features.vector(of: id, depth: pipeline.books[depth: id], at: time, into: &vector)
    note(vector.valid, vector.stale, 0) { vector.values[$0] }
    for place in blocks.indices {
      pipeline.features.bars(of: id, timeframe: place + 1, at: time, into: &blocks[place])
      note(blocks[place].valid, blocks[place].stale, place + 1) { index in
        index < BarBlock.firstSlot || index >= BarBlock.firstSlot + BarBlock.count
          ? 0 : blocks[place].values[index - BarBlock.firstSlot]
      }
    }
  }

  private func note(_ valid: FeatureMask, _ stale: FeatureMask, _ place: Int, value: (Int) -> Double) {
    for slot in FeatureSlot.allCases where value(slot.index) != 0 || valid[slot] || stale[slot] {
      seen[place][slot] = true
    }
  }
}
