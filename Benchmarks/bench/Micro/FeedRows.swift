import EngineTelemetry
import FixtureStreams
import LockFreeRings
import MarketIngest
import OrderBooks
import TradingTypes

/// The feed: an operation is one message of a stream, decoded, or decoded and applied to its book.
extension MicroBenchmarks {
  private static let batchEvents = 256
  static let feedNames = ["itch.decode.A", "itch.book.A", "itch.decode.B", "itch.book.B"]

  func feedRows(notes: inout [String], _ isSelected: (String) -> Bool) throws -> [MicroRow] {
    var rows: [MicroRow] = []
    for stream in ["A", "B"] {
      let names = Self.feedNames.filter { $0.hasSuffix(stream) && isSelected($0) }
      guard !names.isEmpty, stream == "A" || effort.includesLongRows else { continue }
      var parameters = stream == "A" ? ItchFixture.Parameters.streamA : .streamB
      parameters.seed = input.seed
      if effort == .brief, let fixture = input.fixture { parameters = fixture }
      if stream == "A", input.fixture != parameters, !effort.includesLongRows {
        notes.append("\(names.joined(separator: ", ")): skipped, another input is replayed and the run is short")
        continue
      }
      let bytes = input.fixture == parameters ? input.bytes : ItchFixture(parameters).generate()
      for name in names {
        let timing =
          name.hasPrefix("itch.decode") ? decode(bytes, parameters) : try book(bytes, parameters)
        rows.append(timing.row(name))
      }
    }
    return rows
  }

  private func makeDecoder(_ parameters: ItchFixture.Parameters, in arena: Arena) -> ItchDecoder {
    ItchDecoder(
      midnight: ItchFixture.midnight, venue: VenueID(index: 0),
      map: InstrumentMap(discovering: parameters.symbolCount, in: arena), in: arena)
  }

  private func decode(_ bytes: [UInt8], _ parameters: ItchFixture.Parameters) -> MicroTiming {
    var timing = MicroTiming(effort, clock: clock)
    while timing.goesOn {
      let arena = Arena(capacityBytes: 16 << 20)
      var decoder = makeDecoder(parameters, in: arena)
      var frames = ItchFrames(bytes.rawBytes)
      // Whole events, as books take them: what is not stored would not be decoded either.
      var events = Slab(repeating: MarketEvent.nothing, count: Self.batchEvents, in: arena)
      var count: UInt64 = 0
      var sum: UInt64 = 0
      let start = clock.now()
      while count < UInt64(effort.feedMessages) {
        var places = events.parts(MarketEvent.self, from: 0, count: Self.batchEvents)
        let filled = decoder.decode(&frames, into: &places, sequence: &count)
        if filled == 0 { break }
        // Wrapping: a sink for the optimiser.
        sum &+= events[filled - 1].reference.value
      }
      keep(sum)
      timing.add(from: start, to: clock.now(), operations: Int(count))
    }
    return timing
  }

  private func book(_ bytes: [UInt8], _ parameters: ItchFixture.Parameters) throws -> MicroTiming {
    var timing = MicroTiming(effort, clock: clock)
    let capacity = try BookCapacity(
      instruments: parameters.symbolCount, orders: max(1_024, parameters.liveOrderCount * 2), depth: .best)
    while timing.goesOn {
      // Every repetition begins with empty books; making them is not timed.
      let arena = Arena(capacityBytes: capacity.arenaBytes + 16 << 20)
      var decoder = makeDecoder(parameters, in: arena)
      var books = try OrderBookSet(
        capacity: capacity, feedIncrement: Price(nanos: 100_000), tick: Price(nanos: 10_000_000), in: arena)
      var frames = ItchFrames(bytes.rawBytes)
      // A packet's worth and more at a time, as a host that drains a ring has them.
      var events = Slab(repeating: MarketEvent.nothing, count: Self.batchEvents, in: arena)
      var effects = Slab(repeating: BookEffect(.ignored), count: Self.batchEvents, in: arena)
      var count: UInt64 = 0
      var changes: UInt64 = 0
      let start = clock.now()
      while count < UInt64(effort.feedMessages) {
        var decoded = events.parts(MarketEvent.self, from: 0, count: Self.batchEvents)
        let filled = decoder.decode(&frames, into: &decoded, sequence: &count)
        if filled == 0 { break }
        var places = effects.parts(BookEffect.self, from: 0, count: filled)
        books.apply(events.span.extracting(first: filled), effects: &places)
        // Wrapping: a sink for the optimiser.
        for place in 0..<filled { changes &+= UInt64(bitPattern: places[place].quantity.lots) }
      }
      keep(changes)
      timing.add(from: start, to: clock.now(), operations: Int(count))
    }
    return timing
  }
}

extension MarketEvent {
  /// What a buffer holds before its first event.
  fileprivate static var nothing: MarketEvent {
    MarketEvent(kind: .information, time: .distantPast, instrument: .none)
  }
}
