import LockFreeRings
import MarketReceive
import Testing
import TradingTypes

// Goal: a receiver that cannot be made says what, where and why, and a group is received where the kernel permits. Method: each refusal
// provoked once; a group joined on the loopback interface by name and by address.

@Suite(.serialized) struct ReceiveSetupTests {
  @Test func `settings that do not fit are refused`() {
    let endpoint = UDPEndpoint(.loopback, port: 0)
    for configuration in [
      ReceiveConfiguration(endpoint, bufferCount: 0), ReceiveConfiguration(endpoint, bufferCount: 1_000),
      ReceiveConfiguration(endpoint, bufferCount: 65_536), ReceiveConfiguration(endpoint, payloadBytesMax: 0),
      ReceiveConfiguration(endpoint, payloadBytesMax: 70_000), ReceiveConfiguration(endpoint, socketBytes: 0),
      ReceiveConfiguration(endpoint, busyPollMicroseconds: -1),
    ] {
      #expect {
        _ = try PacketReceiver(configuration, in: Arena(capacityBytes: 1 << 20))
      } throws: { error in
        if case .configuration(let text) = error as? NetworkError { text.contains("expected") } else { false }
      }
    }
  }

  @Test(arguments: Loopback.ways)
  func `an address in use is named in the error`(way: ReceiveConfiguration.Way) throws {
    let first = try Loopback.receiver(way)
    let endpoint = first.endpoint
    #expect {
      _ = try Loopback.receiver(way, endpoint: endpoint)
    } throws: { error in
      "\(error)" == "bind refused for receiver at \(endpoint): Address already in use (errno 98)"
    }
  }

  @Test func `an interface that is not there is named in the error`() throws {
    let configuration = ReceiveConfiguration(
      UDPEndpoint(IPv4Address(239, 1, 2, 3), port: 0), interface: .named("no-such-card"), way: .recvmmsg)
    #expect {
      _ = try PacketReceiver(configuration, in: Arena(capacityBytes: configuration.arenaBytes))
    } throws: { error in
      "\(error)".hasPrefix("look-up of the interface refused for interface no-such-card")
    }
  }

  @Test(arguments: Loopback.ways)
  func `an arena without room is an error`(way: ReceiveConfiguration.Way) {
    let configuration = ReceiveConfiguration(UDPEndpoint(.loopback, port: 0), way: way, bufferCount: 2_048)
    #expect(configuration.arenaBytes > 2 << 20)
    #expect {
      _ = try PacketReceiver(configuration, in: Arena(capacityBytes: 1))
    } throws: { error in
      if case .arena(.exhausted) = error as? NetworkError { true } else { false }
    }
  }

  @Test(arguments: [2, 64, 1_024], [1, 100, 1_952])
  func `the memory asked for is what a receiver takes`(bufferCount: Int, payloadBytesMax: Int) throws {
    let configuration = ReceiveConfiguration(
      UDPEndpoint(.loopback, port: 0), bufferCount: bufferCount, payloadBytesMax: payloadBytesMax)
    let arena = Arena(capacityBytes: configuration.arenaBytes + 4_096)
    // Begins anywhere in the arena.
    _ = arena.report()
    let receiver = try PacketReceiver(configuration, in: arena)
    #expect(arena.usedBytes <= configuration.arenaBytes)
    let granted = receiver.grant.socketBytes
    #expect(granted > 0)
  }

  @Test func `busy polling is granted or its refusal reported`() throws {
    let configuration = ReceiveConfiguration(UDPEndpoint(.loopback, port: 0), busyPollMicroseconds: 50)
    let receiver = try PacketReceiver(configuration, in: Arena(capacityBytes: configuration.arenaBytes))
    let grant = receiver.grant
    #expect((grant.busyPollMicroseconds == 50) != grant.refusals.contains { $0.contains("SO_BUSY_POLL") })
    #expect(grant.hasStamps)
  }

  /// Whether a datagram to a group comes back on the loopback interface; the reason why not.
  static let multicast: (works: Bool, reason: Comment) = {
    do {
      let received = try receiveFromGroup(.recvmmsg, on: .address(.loopback))
      return received.isEmpty ? (false, "the loopback interface carries no multicast") : (true, "it works")
    } catch { return (false, "multicast on the loopback interface: \(error)") }
  }()

  static func receiveFromGroup(
    _ way: ReceiveConfiguration.Way, on interface: NetworkInterface
  ) throws -> [Received] {
    let configuration = ReceiveConfiguration(
      UDPEndpoint(IPv4Address(239, 255, 17, 4), port: 0), interface: interface, way: way, bufferCount: 16)
    var receiver = try PacketReceiver(configuration, in: Arena(capacityBytes: configuration.arenaBytes))
    let replay = ReplayConfiguration(receiver.endpoint, pace: .asFastAsPossible, interface: interface)
    var replayer = try PacketReplayer(replay, in: Arena(capacityBytes: replay.arenaBytes))
    replayer.replay((0..<10).map { (.distantPast, Loopback.payload($0)) })
    if let failure = replayer.lastFailure { throw failure }
    return Loopback.collect(10, from: &receiver)
  }

  @Test(.enabled(if: multicast.works, multicast.reason), arguments: Loopback.ways)
  func `packets to a group arrive where it was joined`(way: ReceiveConfiguration.Way) throws {
    for interface in [NetworkInterface.address(.loopback), .named("lo")] {
      let received = try Self.receiveFromGroup(way, on: interface)
      #expect(received.map { Loopback.number($0.bytes) } == Array(0..<10))
      #expect(received.allSatisfy { $0.kernelNanoseconds > 0 })
    }
  }

  @Test(.enabled(if: multicast.works, multicast.reason), arguments: Loopback.ways)
  func `packets to another group of the same port do not arrive`(way: ReceiveConfiguration.Way) throws {
    let configuration = ReceiveConfiguration(
      UDPEndpoint(IPv4Address(239, 255, 17, 5), port: 0), interface: .address(.loopback), way: way, bufferCount: 16)
    var receiver = try PacketReceiver(configuration, in: Arena(capacityBytes: configuration.arenaBytes))
    for group in [IPv4Address(239, 255, 17, 6), IPv4Address(239, 255, 17, 5)] {
      let replay = ReplayConfiguration(
        UDPEndpoint(group, port: receiver.endpoint.port), pace: .asFastAsPossible, interface: .address(.loopback))
      var replayer = try PacketReplayer(replay, in: Arena(capacityBytes: replay.arenaBytes))
      replayer.replay([(.distantPast, Loopback.payload(Int(group.bits & 0xFF)))])
    }
    let received = Loopback.collect(1, from: &receiver)
    #expect(received.map { Loopback.number($0.bytes) } == [5])
    let more = receiver.receive(waiting: ParkWait(), until: .after(milliseconds: 20)).ending
    #expect(more == .deadline)
  }
}
