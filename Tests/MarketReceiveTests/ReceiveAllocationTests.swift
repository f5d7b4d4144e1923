import CAllocationCounter
import LockFreeRings
import MarketReceive
import TestSupport
import Testing
import TradingTypes

// Goal: nothing is allocated for a datagram, received or sent. Method: count over thousands of them after a first round.

@Suite(.serialized) struct ReceiveAllocationTests {
  @Test(.enabled(if: countsAllocations), arguments: Loopback.ways)
  func `receiving and replaying allocate nothing`(way: ReceiveConfiguration.Way) throws {
    var receiver = try Loopback.receiver(way, bufferCount: 16)
    let configuration = ReplayConfiguration(
      receiver.endpoint, pace: .packetsPerSecond(1e6), batchMax: 8, stampsPackets: true)
    var replayer = try PacketReplayer(configuration, in: Arena(capacityBytes: configuration.arenaBytes))
    let payload = Loopback.payload(7)
    var packets = 0
    var bytes = 0
    func round() {
      for _ in 0..<50 {
        for _ in 0..<20 { replayer.send(payload.rawBytes, at: .distantPast) }
        replayer.finish()
        // More than there are buffers: they run out and come back.
        for _ in 0..<40 {
          let batch = receiver.receive(waiting: SpinWait(), until: Deadline(monotonicNanoseconds: 0))
          for index in 0..<batch.count { bytes += batch[index].bytes.byteCount }
          packets += batch.count
        }
      }
    }
    round()
    packets = 0
    let counts = counting { round() }
    #expect(counts.allocations == 0 && counts.retains == 0)
    #expect(packets == 1_000)
    let failures = replayer.counters.failed
    #expect(failures == 0)
  }
}
