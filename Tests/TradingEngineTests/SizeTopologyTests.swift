import BacktestHarness
import EventJournal
import Foundation
import LockFreeRings
import MarketIngest
import TestSupport
import Testing
import TradingTypes

@testable import TradingEngine

// Goal: the journal says how every size was found in every topology, and says the same. Method: a generated day into journals, inline and
// through threads; sizes compared byte for byte, and each with the decision behind it. A second day is short of open positions.
@Suite(.serialized) struct SizeTopologyTests {
  /// Sizes and decisions as their payloads, in the order of the journal.
  struct Record: Equatable {
    var type: UInt16
    var bytes: [UInt8]
  }

  static func sizes(_ day: GeneratedDay, _ topology: EngineTopology, control: EngineControl? = nil) throws -> [Record] {
    try JournalFolder.inFolder { folder in
      let writer = try JournalWriter(storage: try FileStorage(directory: folder), in: Arena(capacityBytes: 64 << 20))
      var run = TopologyRun(day.setup, topology)
      run.control = control
      let outcome = try run.run(day.bytes, into: JournalSink(writer, source: 1))
      try writer.flush(through: outcome.sink.lastSequence, until: .after(milliseconds: 60_000))
      try writer.close(until: .after(milliseconds: 60_000))
      var records: [Record] = []
      _ = try JournalReader.replay(directory: folder) { header, payload in
        guard [JournalRecord.sizing.rawValue, JournalRecord.decision.rawValue].contains(header.type) else { return }
        let view = ByteView(payload)
        records.append(
          Record(type: header.type, bytes: (0..<payload.byteCount).map { view.byte(at: $0) }))
      }
      return records
    }
  }

  /// The sequence that both a size and a decision begin with.
  static func sequence(_ record: Record) -> UInt64 {
    (0..<8).reduce(0) { $0 | UInt64(record.bytes[$1]) << UInt64(8 * $1) }
  }

  @Test func `every topology's journal has the same sizes, each before its decision`() throws {
    let day = try GeneratedDay(seed: 31, messages: 5_000)
    let inline = try Self.sizes(day, .inline)
    let sizing = JournalRecord.sizing.rawValue
    #expect(inline.count { $0.type == sizing } > 100 && inline.count { $0.type != sizing } > 100)
    for (place, record) in inline.enumerated() where record.type == sizing {
      #expect(inline[place + 1].type != sizing && Self.sequence(inline[place + 1]) == Self.sequence(record))
    }
    for topology in TopologyTests.others {
      let other = try Self.sizes(day, topology)
      #expect(other.filter { $0.type == sizing } == inline.filter { $0.type == sizing }, "\(topology)")
      #expect(other.map(Self.sequence) == inline.map(Self.sequence) && other.map(\.type) == inline.map(\.type))
    }
  }

  @Test func `an output of a topology is no longer than a bar's part makes it`() {
    #expect(MemoryLayout<KeyedOutput>.stride == 160)
    #expect(MemoryLayout<TopologyOutput>.size == MemoryLayout<BarrierPart>.size + 1)
  }

  @Test func `a lack of open positions is the same reason in every topology`() throws {
    let day = try GeneratedDay(seed: 31, messages: 5_000)
    var policy = PolicySnapshot.standard(.normal)
    policy.openPositionsMax = 1
    func reasons(_ topology: EngineTopology) throws -> [SizingReason?] {
      let control = try EngineControl(policy: policy, in: Arena(capacityBytes: 1 << 20))
      return try Self.sizes(day, topology, control: control).filter { $0.type == JournalRecord.sizing.rawValue }.map {
        SizedDecision(journalPayload: $0.bytes.span.rawBytes)?.reason
      }
    }
    let inline = try reasons(.inline)
    #expect(inline.contains(.openPositionsMax))
    // Where every shard has one instrument, only the limit they share knows of the others.
    for topology in [EngineTopology.split, .sharded(count: day.setup.directory.count)] {
      #expect(try reasons(topology).contains(.openPositionsMax), "\(topology)")
    }
  }
}
