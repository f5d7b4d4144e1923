import FixtureStreams
import Glibc
import LockFreeRings
import MarketIngest
import MarketReceive
import Synchronization
import TradingTypes

/// MoldUDP64 packets over the loopback interface: sent at a steady rate by one thread, received by another through a line that asks for
/// what is missing, decoded and applied to books.
///
/// Some packets are left out on purpose, others the kernel may drop. Every message is received, or counted as missing and recovered, and
/// the books change as they do without a network. Without retransmission the line ends stale, and its books are right up to the first gap.
struct LoopbackRun: Sendable {
  /// Packets a second.
  var rate = 200_000
  /// How long packets are sent.
  var seconds = 10
  /// How they are received.
  var way = ReceiveConfiguration.Way.best
  /// Room in the receiving socket; with little of it packets are dropped, and have to be recovered.
  var socketBytes = 32 << 20
  /// ITCH messages of a packet.
  var messagesPerPacket = 2
  /// Packets of a million that are left out when their turn is; the last one too unless this is 0.
  var lossPerMillion = 1_000
  /// Chooses them.
  var seed: UInt64 = 1
  /// Whether what is asked for is sent.
  var retransmits = true

  var packetCount: Int { rate * seconds }
  var messageCount: Int { packetCount * messagesPerPacket }

  /// What was seen on the receiving side.
  struct Result: Sendable {
    var grant = ""
    /// Packets of the stream with messages.
    var packets: UInt64 = 0
    /// Places in the stream's sequence where messages are missing, how many are, and the first of them.
    var gaps: UInt64 = 0
    var missing: UInt64 = 0
    var firstMissing: UInt64 = 0
    /// Packets that were no packet of the session, or that the line refused.
    var foreign: UInt64 = 0
    /// Messages applied; those of them that were not the next one, and that gave no event.
    var messages: UInt64 = 0
    var misplaced: UInt64 = 0
    var refused: UInt64 = 0
    var checksum: UInt64 = 0
    /// The line at the end, and what it asked for and gave up.
    var state = LineState.stale
    var hasEnded = false
    var requests: UInt64 = 0
    var lost: UInt64 = 0
    var stream = LineCounters()
    var server = LineCounters()
    /// Allocations from the thousandth packet on; nil where this process cannot count.
    var allocations: UInt64?
    var counters = ReceiveCounters()
    /// Times the receiving thread had to give its processor up: each costs the packets of a time slice.
    var preemptions = 0
    /// Packets delivered at once, from the kernel's stamp and from the sender's.
    var sinceKernel = LiveLatency()
    var sinceSender = LiveLatency()
    /// Messages that waited behind a gap, from the sender's stamp, and recovered ones, from when they were first due.
    var held = LiveLatency()
    var recovered = LiveLatency()
    var failure: NetworkError?
  }

  private final class Box: Sendable {
    let result = Mutex(Result())
    let sent = Mutex(LiveSource.Sent())
    let isReceived = Atomic<Bool>(false)
  }

  /// Runs it; lines to print, and what is wrong.
  func run() throws -> (lines: [String], failures: [String]) {
    var parameters = ItchFixture.Parameters(messages: max(1_024, messageCount))
    parameters.symbolCount = min(50, parameters.messageCount / 16)
    let stream = ItchFixture(parameters).generate()
    let configuration = ReceiveConfiguration(UDPEndpoint(.loopback, port: 0), way: way, socketBytes: socketBytes)
    let receiver = try PacketReceiver(configuration, in: Arena(capacityBytes: configuration.arenaBytes))
    let source = try LiveSource(self, stream: stream, to: receiver.endpoint)
    let target = try LiveTarget(parameters, stream: source.streamEndpoint, server: source.serverEndpoint)

    let processors = ThreadConfiguration.allowedProcessors
    let stopper = receiver.stopper
    let box = Box()
    let arriving = Handoff(receiver)
    let applying = Handoff(target)
    let receiving = PinnedThread(
      ThreadConfiguration(name: "receive", processor: processors.count > 1 ? processors.last : nil)
    ) {
      var receiver = arriving.take()
      var target = applying.take()
      target.receive(from: &receiver)
      // Relaxed: only tells the sender that it may stop.
      box.isReceived.store(true, ordering: .relaxed)
      let result = target.result(of: &receiver)
      box.result.withLock { $0 = result }
    }
    let sending = Handoff(source)
    let sender = PinnedThread(
      ThreadConfiguration(name: "send", processor: processors.count > 1 ? processors.first : nil)
    ) {
      var source = sending.take()
      // Relaxed: as above.
      let sent = source.send { box.isReceived.load(ordering: .relaxed) }
      box.sent.withLock { $0 = sent }
    }
    sender.join()
    // Nothing comes after this.
    stopper.stop()
    receiving.join()

    let sent = box.sent.withLock { $0 }
    let result = box.result.withLock { $0 }
    let checksum = try Self.checksum(of: stream, parameters, messages: result.messages)
    return (lines(result, sent), failures(result, sent, checksum: checksum))
  }

  private func failures(_ result: Result, _ sent: LiveSource.Sent, checksum: UInt64) -> [String] {
    var failures: [String] = []
    func expect(_ holds: Bool, _ text: @autoclosure () -> String) { if !holds { failures.append(text()) } }
    if let failure = result.failure { failures.append("\(failure)") }
    if let failure = sent.failure { failures.append("\(sent.counters.failed) packets not sent: \(failure)") }
    expect(result.hasEnded, "the line does not know that the session is over")
    expect(
      result.packets + result.counters.kernelDrops >= sent.counters.sent,
      "\(result.packets) packets received and \(result.counters.kernelDrops) dropped of \(sent.counters.sent)")
    let omitted = sent.omitted * UInt64(messagesPerPacket)
    expect(
      result.missing >= omitted && (result.missing == omitted || result.counters.kernelDrops > 0),
      "\(result.missing) messages missing, \(omitted) left out and \(result.counters.kernelDrops) packets dropped")
    expect(
      result.foreign == 0 && result.refused == 0,
      "\(result.foreign) foreign packets, \(result.refused) refused messages")
    expect(result.misplaced == 0, "\(result.misplaced) messages out of order")
    expect(result.checksum == checksum, "checksum \(result.checksum), \(checksum) without a network")
    expect(result.allocations ?? 0 == 0, "\(result.allocations ?? 0) allocations")
    if retransmits || result.missing == 0 {
      expect(result.state == .valid && result.lost == 0, "line \(result.state), \(result.lost) ranges given up")
      expect(result.messages == messageCount, "\(result.messages) of \(messageCount) messages applied")
      let owed = result.missing + result.stream.refused
      expect(result.recovered.count == owed, "\(result.recovered.count) messages recovered of \(owed)")
    } else {
      expect(result.state == .stale && result.lost > 0, "line \(result.state) without retransmission")
      expect(result.recovered.count == 0, "\(result.recovered.count) messages recovered without retransmission")
      expect(
        result.messages + 1 == result.firstMissing,
        "\(result.messages) messages applied, the first missing one is \(result.firstMissing)")
    }
    return failures
  }

  private func lines(_ result: Result, _ sent: LiveSource.Sent) -> [String] {
    let counters = sent.counters
    func micro(_ nanoseconds: UInt64) -> String { LiveLatency.micro(Int64(clamping: nanoseconds)) }
    let processors = ThreadConfiguration.allowedProcessors
    let place = processors.count > 1 ? "processor \(processors.last ?? 0) of \(processors.count)" : "the only processor"
    return [
      result.grant, "receiver on \(place), preempted \(result.preemptions) times",
      "sent \(counters.sent) packets in \((sent.seconds * 100).rounded() / 100) s by \(counters.calls) calls, "
        + "\(counters.failed) failed, \(sent.omitted) left out; "
        + "late p50 below \(micro(counters.latenessBound(share: 0.5))), "
        + "p99 \(micro(counters.latenessBound(share: 0.99))), max \(micro(counters.latenessNanosecondsMax)) us",
      "received \(result.packets) of \(packetCount) packets; \(result.counters.kernelDrops) dropped by the kernel; "
        + "\(result.counters.batches) batches, buffers exhausted \(result.counters.buffersExhausted) times, "
        + "\(result.allocations.map { "\($0)" } ?? "uncounted") allocations",
      "line \(result.state): \(result.messages) of \(messageCount) messages applied; \(result.gaps) gaps of "
        + "\(result.missing) messages, \(result.stream.refused) without room, \(result.recovered.count) recovered, "
        + "\(result.stream.duplicates + result.server.duplicates) duplicates, \(result.lost) ranges given up",
      "\(result.requests) requests, \(sent.requests) heard, \(sent.answers.sent) packets of answers",
      "p50 / p90 / p99 / p99.9 / max, us, to books applied:",
      "  \(result.sinceKernel.count) packets delivered at once, from the kernel's stamp: \(result.sinceKernel)",
      "  the same, from the sender's stamp: \(result.sinceSender)",
      "  \(result.held.count) messages held behind a gap, from the sender's stamp: \(result.held)",
      "  \(result.recovered.count) messages recovered, from when they were first due: \(result.recovered)",
      "checksum \(result.checksum)",
    ]
  }

  /// The checksum of the first `messages` messages, applied in the same way and without a network.
  private static func checksum(
    of bytes: [UInt8], _ parameters: ItchFixture.Parameters, messages: UInt64
  ) throws -> UInt64 {
    var books = try LiveBooks(parameters)
    var frames = ItchFrames(bytes.span)
    while books.count < messages, let message = frames.next() { books.apply(message, sequence: books.count + 1) }
    return books.checksum
  }
}

extension Proofs {
  static func live(_ run: LoopbackRun) throws -> [String] {
    print(
      "live: \(run.rate) MoldUDP64 packets/s of \(run.messagesPerPacket) messages for \(run.seconds) s over loopback, "
        + "\(run.way), \(run.lossPerMillion) of a million left out, \(run.retransmits ? "with" : "no") retransmission")
    fflush(nil)
    let (lines, failures) = try run.run()
    for line in lines { print("  \(line)") }
    return failures
  }
}
