import Glibc
import LockFreeRings
import MarketReceive
import Testing
import TradingTypes

// Goal: a replay sends every packet as it is, in order and when it is due, and says how late. Method: a receiver on loopback whose kernel
// stamps are compared with the times wanted; bounds are wide because the machine is shared.

@Suite(.serialized) struct PacketReplayerTests {
  private func replayer(_ configuration: ReplayConfiguration) throws -> PacketReplayer {
    try PacketReplayer(configuration, in: Arena(capacityBytes: configuration.arenaBytes))
  }

  @Test(arguments: [1, 3, 64])
  func `as fast as possible, everything arrives in order`(batchMax: Int) throws {
    var receiver = try Loopback.receiver(.best)
    var replayer = try replayer(
      ReplayConfiguration(receiver.endpoint, pace: .asFastAsPossible, batchMax: batchMax))
    let packets = (0..<200).map { (time: Timestamp.distantPast, payload: Loopback.payload($0, byteCount: 4 + $0)) }
    let counters = replayer.replay(packets)
    #expect(counters.sent == 200 && counters.failed == 0 && counters.unfit == 0)
    #expect(counters.bytes == packets.reduce(0) { $0 + UInt64($1.payload.count) })
    #expect(counters.calls == (200 + batchMax - 1) / batchMax)
    #expect(counters.latenessNanosecondsMax == 0 && counters.byLateness[0] == 200)
    let received = Loopback.collect(200, from: &receiver)
    #expect(received.map(\.bytes) == packets.map(\.payload))
    let source = replayer.localEndpoint
    #expect(received.allSatisfy { $0.source == source })
  }

  @Test func `so many a second take their time`() throws {
    var receiver = try Loopback.receiver(.best, bufferCount: 256)
    var replayer = try replayer(ReplayConfiguration(receiver.endpoint, pace: .packetsPerSecond(10_000)))
    let clock = WallClockWatch()
    let counters = replayer.replay((0..<201).map { (.distantPast, Loopback.payload($0)) })
    let received = Loopback.collect(201, from: &receiver)
    #expect(received.count == 201)
    #expect(counters.byLateness.indices.reduce(0) { $0 + counters.byLateness[$1] } == 201)
    #expect(counters.latenessNanosecondsSum <= counters.latenessNanosecondsMax * 201)
    #expect(counters.latenessBound(share: 1) >= counters.latenessNanosecondsMax)
    #expect(counters.latenessBound(share: 0.5) <= counters.latenessBound(share: 1))
    try clock.requireSteady()
    // 200 intervals of 100 us; each packet may be late by what the counters say, never early.
    let took = received.last!.kernelNanoseconds - received.first!.kernelNanoseconds
    #expect(took >= 20_000_000 - Int64(counters.latenessNanosecondsMax) - 1_000_000)
  }

  @Test func `original times are kept, scaled by the speed`() throws {
    var receiver = try Loopback.receiver(.best)
    var replayer = try replayer(ReplayConfiguration(receiver.endpoint, pace: .original(speed: 2)))
    let clock = WallClockWatch()
    // In real nanoseconds of the epoch: 0, 10, 20, 60 ms; the fourth one runs backwards and is due at once.
    let epoch: Int64 = 1_700_000_000_000_000_000
    let times: [Int64] = [0, 10_000_000, 20_000_000, 5_000_000, 60_000_000]
    let start = SystemClocks.monotonicNanoseconds
    let counters = replayer.replay(
      times.enumerated().map { (Timestamp(nanoseconds: epoch + $1), Loopback.payload($0)) })
    let took = SystemClocks.monotonicNanoseconds - start
    #expect(took >= 30_000_000)
    let received = Loopback.collect(5, from: &receiver)
    #expect(received.map { Loopback.number($0.bytes) } == [0, 1, 2, 3, 4])
    // The packet that ran backwards was due 7.5 ms before it was sent.
    #expect(counters.latenessNanosecondsMax >= 7_000_000)
    try clock.requireSteady()
    let stamps = received.map { $0.kernelNanoseconds - received[0].kernelNanoseconds }
    // Lateness of the first packet shortens the others' distance from it; the wall clock may be slewed a little.
    let slack = Int64(counters.latenessNanosecondsMax) + 1_000_000
    for (stamp, wanted) in zip(stamps, [0, 5_000_000, 10_000_000, 0, 30_000_000] as [Int64]) {
      #expect(stamp >= wanted - slack)
    }
  }

  @Test func `packets due together share a call`() throws {
    var receiver = try Loopback.receiver(.best)
    var configuration = ReplayConfiguration(receiver.endpoint, pace: .original(speed: 1), batchMax: 16)
    configuration.coalescingNanoseconds = 1_000_000
    var replayer = try replayer(configuration)
    let counters = replayer.replay((0..<32).map { (Timestamp(nanoseconds: Int64($0) * 1_000), Loopback.payload($0)) })
    #expect(counters.sent == 32 && counters.calls == 2)
    let received = Loopback.collect(32, from: &receiver)
    #expect(received.map { Loopback.number($0.bytes) } == Array(0..<32))
  }

  @Test func `stamps stand in the last eight bytes`() throws {
    var receiver = try Loopback.receiver(.best)
    var configuration = ReplayConfiguration(receiver.endpoint, pace: .packetsPerSecond(1_000), payloadBytesMax: 64)
    configuration.stampsPackets = true
    var replayer = try replayer(configuration)
    let clock = WallClockWatch()
    let before = SystemClocks.wallNanoseconds
    let counters = replayer.replay([64, 40, 8, 7, 65].map { (.distantPast, Loopback.payload($0, byteCount: $0)) })
    // Too short for a stamp, and too long.
    #expect(counters.sent == 3 && counters.unfit == 2)
    let received = Loopback.collect(3, from: &receiver)
    #expect(received.map(\.bytes.count) == [64, 40, 8])
    for packet in received {
      let number = packet.bytes.count
      #expect(packet.bytes.dropLast(8) == Loopback.payload(number, byteCount: number).dropLast(8))
    }
    try clock.requireSteady()
    for packet in received {
      let stamp = packet.bytes.suffix(8).reversed().reduce(Int64(0)) { $0 << 8 | Int64($1) }
      #expect(before <= stamp && stamp <= packet.kernelNanoseconds)
    }
  }

  @Test func `nobody listening and refused packets are counted`() throws {
    // A port that was just given up.
    let endpoint: UDPEndpoint
    do {
      let receiver = try Loopback.receiver(.recvmmsg)
      endpoint = receiver.endpoint
    }
    var replayer = try replayer(
      ReplayConfiguration(endpoint, pace: .asFastAsPossible, batchMax: 1, payloadBytesMax: 65_507))
    for number in 0..<10 { replayer.send(Loopback.payload(number).rawBytes, at: .distantPast) }
    replayer.finish()
    let counters = replayer.counters
    #expect(counters.sent + counters.failed == 10)
    #expect(counters.unheard > 0)
  }

  @Test func `settings that do not fit are refused`() {
    let endpoint = UDPEndpoint(.loopback, port: 9)
    for configuration in [
      ReplayConfiguration(endpoint, pace: .original(speed: 0)),
      ReplayConfiguration(endpoint, pace: .original(speed: .nan)),
      ReplayConfiguration(endpoint, pace: .packetsPerSecond(-1)),
      ReplayConfiguration(endpoint, pace: .packetsPerSecond(.infinity)),
      ReplayConfiguration(endpoint, pace: .asFastAsPossible, batchMax: 0),
      ReplayConfiguration(endpoint, pace: .asFastAsPossible, payloadBytesMax: 0),
    ] {
      #expect(throws: NetworkError.self) {
        _ = try PacketReplayer(configuration, in: Arena(capacityBytes: 1 << 20))
      }
    }
  }
}
