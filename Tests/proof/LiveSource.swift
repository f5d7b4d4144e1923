import FixtureStreams
import LockFreeRings
import MarketIngest
import MarketReceive
import TradingTypes

/// The sending side: a stream in MoldUDP64 packets at a steady rate, some of them left out, and a server that sends again what is asked for.
///
/// Both are one thread, which looks for requests between packets: an answer makes the next packets late, and they catch up.
struct LiveSource: ~Copyable, @unchecked Sendable {
  /// What was done, the end of the session left out.
  struct Sent: Sendable {
    var counters = ReplayCounters()
    var seconds = 0.0
    /// Packets left out on purpose.
    var omitted: UInt64 = 0
    var requests: UInt64 = 0
    /// What was sent again.
    var answers = ReplayCounters()
    var failure: NetworkError?
  }

  static let session = MoldSession("LOOPBACK  ") ?? MoldSession(high: 0, low: 0)
  /// A request has at most so many packets of answer, as most servers have a limit: the rest is asked for again.
  private static let answerPacketsMax = 64
  private static let answerBytesMax = 1_400
  /// Packets between two looks for requests.
  private static let packetsPerLook = 16

  private let run: LoopbackRun
  private let stream: [UInt8]
  /// Where each packet of the stream begins, then where the last one ends.
  private let starts: [Int]
  /// When each packet was first due, by the wall clock.
  private var stamps: [Int64]
  private var replayer: PacketReplayer
  private var requests: PacketReceiver
  private var answers: PacketReplayer
  private var packet = [UInt8](repeating: 0, count: 2_048)
  private var requestCount: UInt64 = 0

  init(_ run: LoopbackRun, stream: [UInt8], to endpoint: UDPEndpoint) throws {
    var frames = ItchFrames(stream.span)
    var starts = [0]
    for _ in 0..<run.packetCount {
      for _ in 0..<run.messagesPerPacket { _ = frames.next() }
      starts.append(frames.offset)
    }
    let paced = ReplayConfiguration(endpoint, pace: .packetsPerSecond(Double(run.rate)), stampsPackets: true)
    let answering = ReplayConfiguration(endpoint, pace: .asFastAsPossible)
    let listening = ReceiveConfiguration(UDPEndpoint(.loopback, port: 0), way: .recvmmsg, bufferCount: 64)
    let replayer = try PacketReplayer(paced, in: Arena(capacityBytes: paced.arenaBytes))
    let answers = try PacketReplayer(answering, in: Arena(capacityBytes: answering.arenaBytes))
    requests = try PacketReceiver(listening, in: Arena(capacityBytes: listening.arenaBytes))
    self.replayer = replayer
    self.answers = answers
    stamps = [Int64](repeating: 0, count: run.packetCount)
    self.run = run
    self.stream = stream
    self.starts = starts
  }

  /// Where packets of the stream come from; answers come from elsewhere.
  var streamEndpoint: UDPEndpoint { replayer.localEndpoint }
  /// Where requests are answered.
  var serverEndpoint: UDPEndpoint { requests.endpoint }

  /// Sends all packets, then the end of the session until everything was received, for five seconds at most.
  mutating func send(until isReceived: () -> Bool) -> Sent {
    var sent = Sent()
    var random = SplitMix64(seed: run.seed)
    let start = SystemClocks.monotonicNanoseconds
    for index in 0..<run.packetCount {
      stamps[index] = SystemClocks.wallNanoseconds
      // One early packet, so that every path is warm soon, and the last one, which only the end of the session tells of.
      let isChosen = index == 100 || index == run.packetCount - 1
      if run.lossPerMillion > 0, isChosen || random.below(1_000_000) < run.lossPerMillion {
        sent.omitted += 1
      } else {
        let first = UInt64(index * run.messagesPerPacket + 1)
        let byteCount = fill(first, UInt16(run.messagesPerPacket), starts[index]..<starts[index + 1])
        Self.post(packet, byteCount, through: &replayer)
      }
      if index % Self.packetsPerLook == 0 { serve(until: Deadline(monotonicNanoseconds: 0)) }
    }
    replayer.finish()
    sent.counters = replayer.counters
    sent.seconds = Double(SystemClocks.monotonicNanoseconds - start) / 1e9
    for _ in 0..<250 where !isReceived() {
      let byteCount = fill(UInt64(run.messageCount + 1), MoldHeader.endOfSession, 0..<0)
      Self.post(packet, byteCount, through: &replayer)
      replayer.finish()
      serve(until: .after(milliseconds: 20))
    }
    sent.requests = requestCount
    sent.answers = answers.counters
    sent.failure = replayer.lastFailure ?? answers.lastFailure ?? requests.failure
    return sent
  }

  /// Makes a packet of the messages in `range` of the stream; gives its length, eight bytes for a stamp included.
  private mutating func fill(_ sequence: UInt64, _ count: UInt16, _ range: Range<Int>) -> Int {
    let header = MoldHeader(session: Self.session, firstSequence: sequence, count: count).bytes
    for place in 0..<MoldHeader.byteCount { packet[place] = header[place] }
    // A frame of ITCH is a message block of MoldUDP64.
    for place in range { packet[MoldHeader.byteCount + place - range.lowerBound] = stream[place] }
    return MoldHeader.byteCount + range.count + 8
  }

  /// Apart, because the bytes are borrowed while the replayer changes.
  private static func post(_ packet: borrowing [UInt8], _ byteCount: Int, through replayer: inout PacketReplayer) {
    replayer.send(packet.span.extracting(0..<byteCount).rawBytes, at: .distantPast)
  }

  // MARK: - Server

  /// Answers requests until `deadline`; one that has passed makes this a look at those that are there.
  private mutating func serve(until deadline: Deadline) {
    while let request = nextRequest(until: deadline) {
      requestCount += 1
      if run.retransmits { answer(request) }
    }
  }

  private mutating func nextRequest(until deadline: Deadline) -> MoldHeader? {
    let batch = requests.receive(waiting: ParkWait(), until: deadline, upTo: 1)
    return batch.count == 0 ? nil : MoldHeader(ByteView(batch[0].bytes))
  }

  private mutating func answer(_ request: MoldHeader) {
    let end = min(request.firstSequence + UInt64(request.messageCount), UInt64(run.messageCount + 1))
    var sequence = request.firstSequence
    var packetCount = 0
    while sequence > 0, sequence < end, packetCount < Self.answerPacketsMax {
      let (index, skipped) = Int(sequence - 1).quotientAndRemainder(dividingBy: run.messagesPerPacket)
      var start = starts[index]
      for _ in 0..<skipped { start = frameEnd(start) }
      var stop = start
      var count: UInt64 = 0
      while sequence + count < end, frameEnd(stop) - start <= Self.answerBytesMax {
        stop = frameEnd(stop)
        count += 1
      }
      let byteCount = fill(sequence, UInt16(count), start..<stop)
      // That of the oldest message in it.
      let stamp = UInt64(bitPattern: stamps[index])
      for place in 0..<8 { packet[byteCount - 8 + place] = UInt8(truncatingIfNeeded: stamp >> UInt64(8 * place)) }
      Self.post(packet, byteCount, through: &answers)
      sequence += count
      packetCount += 1
    }
    answers.finish()
  }

  /// Where the frame that begins at `start` ends.
  private func frameEnd(_ start: Int) -> Int { start + 2 + (Int(stream[start]) << 8 | Int(stream[start + 1])) }
}
