import LockFreeRings
import TestSupport
import Testing
import TradingTypes

@testable import MarketIngest

// Goal: whatever comes, a line gives numbers upwards and each once, never has its host wait for a moment that has passed, and ends valid or stale.
// Method: random packets around a moving head, snapshots and losses, windows that fill; then a server that answers all, a packet a request.
@Suite struct LineLifeTests {
  static func bench(_ random: inout SplitMix64) throws -> LineBench {
    let configuration = try LineConfiguration(
      windowMessages: 64, windowBytes: [64 * 64, 640, 8_192][random.below(3)], gapCountMax: 1 + random.below(6),
      tryCountMax: 1 + random.below(3), requestMessagesMax: [65_535, 5, 1][random.below(3)])
    return LineBench(configuration, start: [.at(1), .anywhere, .atSnapshot, .at(50)][random.below(4)])
  }

  /// A packet of messages that say their number, now and then long ones.
  static func packet(_ first: UInt64, _ count: UInt64, _ random: inout SplitMix64) -> [UInt8] {
    var bodies: [[UInt8]] = []
    for number in first..<(first + count) {
      let length = random.below(5) == 0 ? 200 : 1 + random.below(40)
      bodies.append([UInt8](repeating: UInt8(truncatingIfNeeded: number), count: length))
    }
    return moldPacket(session: LineSimulation.session, first: first, bodies)
  }

  /// One random packet, and what a host may do; the head after it.
  static func step(_ bench: inout LineBench, head: UInt64, at now: Int64, _ random: inout SplitMix64) -> UInt64 {
    let count = UInt64(random.below(6))
    let first =
      switch random.below(10) {
      case 0: head + UInt64(random.below(120))
      case 1, 2: head - min(head - 1, UInt64(random.below(100)))
      case 3: max(1, bench.arbiter.nextSequence)
      default: head
      }
    bench.receive(packet(first, count, &random), line: random.below(3), at: now)
    let head = max(head, first + count)
    switch random.below(25) {
    case 0: _ = bench.arbiter.beginSnapshot(sequence: head - min(head, 1 + UInt64(random.below(90))))
    case 1, 2: bench.arbiter.endSnapshot()
    case 3: bench.arbiter.skipLost()
    default: break
    }
    bench.drain(at: now)
    return head
  }

  /// The end of the session, and every request answered by at most 30 messages; whether the line waits for nothing in the end.
  static func end(_ bench: inout LineBench, head: UInt64, at now: Int64, _ random: inout SplitMix64) -> Bool {
    var now = now
    bench.end(head, at: now)
    bench.arbiter.endSnapshot()
    bench.drain(at: now)
    for _ in 0..<3_000 {
      guard let deadline = bench.arbiter.nextDeadline?.nanoseconds else { return true }
      now = max(now, deadline)
      let told = bench.actions.count
      bench.drain(at: now)
      for case .request(let request) in bench.actions[told...] where request.firstSequence < head {
        let count = min(UInt64(request.count), 30, head - request.firstSequence)
        bench.receive(packet(request.firstSequence, count, &random), line: 2, at: now)
      }
    }
    return false
  }

  @Test func `a line waits for nothing in vain and ends`() throws {
    for seed in 1...400 as ClosedRange<UInt64> {
      var random = SplitMix64(seed: seed)
      var bench = try Self.bench(&random)
      var now: Int64 = 0
      var head = 1 + UInt64(random.below(300))
      for step in 0..<150 {
        now += Int64(random.below(20)) * 300_000
        head = Self.step(&bench, head: head, at: now, &random)
        let fault = bench.arbiter.checkInvariants()
        expect(fault == nil, "seed \(seed), step \(step): \(fault ?? "")")
        let deadline = bench.arbiter.nextDeadline?.nanoseconds ?? .max
        expect(deadline > now, "seed \(seed), step \(step): waits for \(deadline) at \(now)")
      }
      let isDone = Self.end(&bench, head: head, at: now, &random)
      let (state, next) = (bench.arbiter.state, bench.arbiter.nextSequence)
      #expect(isDone && state != .recovering && bench.actions.contains(.sessionEnded), "seed \(seed): \(state)")
      #expect(state != .valid || next == head, "seed \(seed): \(next), \(head) expected")
      let isUpwards = zip(bench.sequences, bench.sequences.dropFirst()).allSatisfy { $0 < $1 }
      let areOwn = bench.delivered.allSatisfy { sequence, body in
        body.allSatisfy { $0 == UInt8(truncatingIfNeeded: sequence) }
      }
      #expect(isUpwards && areOwn, "seed \(seed)")
    }
  }
}
