import CAllocationCounter
import EngineTelemetry
import FixtureStreams
import Glibc
import LockFreeRings
import MarketIngest
import MarketReceive
import OrderBooks
import Synchronization
import TradingTypes

/// MoldUDP64 packets over the loopback interface: sent at a steady rate by one thread, received by another, decoded and applied to books.
///
/// Every message is received or counted as missing, every packet received or counted as dropped by the kernel; without loss the books
/// change as they do without a network.
struct LoopbackRun {
  /// Packets a second.
  var rate = 200_000
  /// How long packets are sent.
  var seconds = 10
  /// How they are received.
  var way = ReceiveConfiguration.Way.best
  /// Room in the receiving socket; with little of it packets are dropped, and have to be counted.
  var socketBytes = 32 << 20
  /// ITCH messages of a packet.
  var messagesPerPacket = 2
  /// Whether messages are decoded and applied; otherwise only their headers are read.
  var appliesBooks = true

  /// What was seen on the receiving side.
  struct Result: Sendable {
    var grant = ""
    var packets: UInt64 = 0
    var messages: UInt64 = 0
    /// Places in the sequence where messages are missing, and how many are.
    var gaps: UInt64 = 0
    var missing: UInt64 = 0
    /// Packets that were no packet of the session, or ran backwards.
    var foreign: UInt64 = 0
    /// Messages that gave no event.
    var refused: UInt64 = 0
    var checksum: UInt64 = 0
    /// Allocations from the thousandth packet on; nil where this process cannot count.
    var allocations: UInt64?
    var counters = ReceiveCounters()
    /// Times the receiving thread had to give its processor up: each costs the packets of a time slice.
    var preemptions = 0
    /// p50, p90, p99, p99.9 and largest, from the kernel's stamp and from the sender's.
    var sinceKernel: [Int64?] = []
    var sinceSender: [Int64?] = []
    var failure: NetworkError?
  }

  /// What was done on the sending side, the end of the session left out.
  struct Sent: Sendable {
    var counters = ReplayCounters()
    var seconds = 0.0
    var failure: NetworkError?
  }

  private final class Box: Sendable {
    let result = Mutex(Result())
    let sent = Mutex(Sent())
    let isSent = Atomic<Bool>(false)
  }

  /// Runs it; lines to print, and what is wrong.
  func run() throws -> (lines: [String], failures: [String]) {
    let packetCount = rate * seconds
    var parameters = ItchFixture.Parameters(messages: max(1_024, packetCount * messagesPerPacket))
    parameters.symbolCount = min(50, parameters.messageCount / 16)
    let fixture = ItchFixture(parameters)
    let bytes = fixture.generate()
    let configuration = ReceiveConfiguration(UDPEndpoint(.loopback, port: 0), way: way, socketBytes: socketBytes)
    let receiver = try PacketReceiver(configuration, in: Arena(capacityBytes: configuration.arenaBytes))
    let replay = ReplayConfiguration(receiver.endpoint, pace: .packetsPerSecond(Double(rate)), stampsPackets: true)
    let replayer = try PacketReplayer(replay, in: Arena(capacityBytes: replay.arenaBytes))
    let target = try MoldTarget(parameters, appliesBooks: appliesBooks)

    let processors = ThreadConfiguration.allowedProcessors
    let box = Box()
    let arriving = Handoff(receiver)
    let applying = Handoff(target)
    let receiving = PinnedThread(
      ThreadConfiguration(name: "receive", processor: processors.count > 1 ? processors.last : nil)
    ) {
      var receiver = arriving.take()
      var target = applying.take()
      target.receive(from: &receiver) { box.isSent.load(ordering: .acquiring) }
      let result = target.result(of: &receiver)
      box.result.withLock { $0 = result }
    }
    let sending = Handoff(replayer)
    let messagesPerPacket = messagesPerPacket
    let sender = PinnedThread(
      ThreadConfiguration(name: "send", processor: processors.count > 1 ? processors.first : nil)
    ) {
      var replayer = sending.take()
      let sent = Self.send(bytes, messagesPerPacket: messagesPerPacket, packets: packetCount, through: &replayer)
      box.sent.withLock { $0 = sent }
      // Release, paired with the acquire of the receiving thread: nothing comes after this.
      box.isSent.store(true, ordering: .releasing)
    }
    sender.join()
    receiving.join()

    let sent = box.sent.withLock { $0 }
    let result = box.result.withLock { $0 }
    let messages = UInt64(packetCount * messagesPerPacket)
    var failures: [String] = []
    if let failure = result.failure { failures.append("\(failure)") }
    if let failure = sent.failure { failures.append("\(sent.counters.failed) packets not sent: \(failure)") }
    if result.messages + result.missing != messages {
      failures.append("\(result.messages) messages received and \(result.missing) missing, not \(messages) together")
    }
    if result.packets + result.counters.kernelDrops < UInt64(packetCount) {
      failures.append("\(result.packets) packets received and \(result.counters.kernelDrops) dropped of \(packetCount)")
    }
    if result.foreign != 0 || result.refused != 0 {
      failures.append("\(result.foreign) foreign packets, \(result.refused) refused messages")
    }
    if let allocations = result.allocations, allocations != 0 { failures.append("\(allocations) allocations") }
    if appliesBooks, result.missing == 0 {
      let expected = try Self.checksum(of: bytes, parameters, messages: messages)
      if result.checksum != expected { failures.append("checksum \(result.checksum), \(expected) without a network") }
    }
    return (lines(result, sent, packetCount: packetCount), failures)
  }

  private func lines(_ result: Result, _ sent: Sent, packetCount: Int) -> [String] {
    let (took, sent) = (sent.seconds, sent.counters)
    func micro(_ nanoseconds: Int64?) -> String {
      nanoseconds.map { "\((Double($0) / 100).rounded() / 10)" } ?? "-"
    }
    func row(_ values: [Int64?]) -> String { values.map(micro).joined(separator: " / ") }
    return [
      result.grant, "receiver on \(receiverPlace), preempted \(result.preemptions) times",
      "sent \(sent.sent) packets in \((took * 100).rounded() / 100) s by \(sent.calls) calls, \(sent.failed) failed; late p50 below "
        + "\(micro(Int64(sent.latenessBound(share: 0.5)))), p99 \(micro(Int64(sent.latenessBound(share: 0.99)))), "
        + "max \(micro(Int64(sent.latenessNanosecondsMax))) us",
      "received \(result.packets) of \(packetCount) packets, \(result.messages) messages; \(result.counters.kernelDrops) dropped by "
        + "the kernel, \(result.gaps) gaps of \(result.missing) messages; \(result.counters.batches) batches, buffers exhausted "
        + "\(result.counters.buffersExhausted) times, \(result.allocations.map { "\($0)" } ?? "uncounted") allocations",
      "p50 / p90 / p99 / p99.9 / max, us, to \(appliesBooks ? "books applied" : "packet read"):",
      "  from the kernel's stamp: \(row(result.sinceKernel))", "  from the sender's stamp: \(row(result.sinceSender))",
      "checksum \(result.checksum)",
    ]
  }

  private var receiverPlace: String {
    let processors = ThreadConfiguration.allowedProcessors
    return processors.count > 1
      ? "processor \(processors[processors.count - 1]) of \(processors.count)" : "the only processor"
  }

  /// Packs frames into packets and sends them, then the end of the session a few times, in case one is dropped.
  private static func send(
    _ bytes: [UInt8], messagesPerPacket: Int, packets: Int, through replayer: inout PacketReplayer
  ) -> Sent {
    let start = SystemClocks.monotonicNanoseconds
    var packet = [UInt8](repeating: 0, count: 2_048)
    var frames = ItchFrames(bytes.span)
    var sequence: UInt64 = 1
    for _ in 0..<packets {
      let start = frames.offset
      for _ in 0..<messagesPerPacket { _ = frames.next() }
      let length = frames.offset - start
      MoldHeader(sequence: sequence, count: UInt16(messagesPerPacket)).write(to: &packet)
      // A frame of ITCH is a message block of MoldUDP64.
      for place in 0..<length { packet[MoldHeader.byteCount + place] = bytes[start + place] }
      let byteCount = MoldHeader.byteCount + length + 8
      replayer.send(packet.span.extracting(0..<byteCount).rawBytes, at: .distantPast)
      sequence += UInt64(messagesPerPacket)
    }
    replayer.finish()
    let sent = Sent(
      counters: replayer.counters, seconds: Double(SystemClocks.monotonicNanoseconds - start) / 1e9,
      failure: replayer.lastFailure)
    for _ in 0..<5 {
      usleep(50_000)
      MoldHeader(sequence: sequence, count: MoldHeader.endOfSession).write(to: &packet)
      replayer.send(packet.span.extracting(0..<MoldHeader.byteCount + 8).rawBytes, at: .distantPast)
      replayer.finish()
    }
    return sent
  }

  /// The checksum of the first `messages` messages, applied in the same way and without a network.
  private static func checksum(
    of bytes: [UInt8], _ parameters: ItchFixture.Parameters, messages: UInt64
  ) throws -> UInt64 {
    var target = try MoldTarget(parameters, appliesBooks: true)
    var frames = ItchFrames(bytes.span)
    var sequence: UInt64 = 0
    while sequence < messages, let message = frames.next() {
      sequence += 1
      target.apply(message, sequence: sequence)
    }
    return target.checksum
  }
}

extension Proofs {
  static func live(_ run: LoopbackRun) throws -> [String] {
    print(
      "live: \(run.rate) MoldUDP64 packets/s of \(run.messagesPerPacket) messages for \(run.seconds) s over loopback, \(run.way)"
    )
    fflush(nil)
    let (lines, failures) = try run.run()
    for line in lines { print("  \(line)") }
    return failures
  }
}
