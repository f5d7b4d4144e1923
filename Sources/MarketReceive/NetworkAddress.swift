/// An IPv4 address.
@frozen public struct IPv4Address: BitwiseCopyable, Hashable, Sendable, CustomStringConvertible {
  /// The four parts, the first one highest.
  public var bits: UInt32

  /// The address whose parts are in `bits`, the first one highest.
  @inlinable public init(bits: UInt32) { self.bits = bits }

  /// The address `first.second.third.fourth`.
  public init(_ first: UInt8, _ second: UInt8, _ third: UInt8, _ fourth: UInt8) {
    bits = UInt32(first) << 24 | UInt32(second) << 16 | UInt32(third) << 8 | UInt32(fourth)
  }

  /// The address spelt as four decimal numbers with dots between them, or nil for any other text.
  public init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    bits = 0
    for part in parts {
      guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        let number = UInt8(part)
      else { return nil }
      bits = bits << 8 | UInt32(number)
    }
  }

  /// Every address of this machine, 0.0.0.0.
  public static var any: IPv4Address { IPv4Address(bits: 0) }
  /// This machine, 127.0.0.1.
  public static var loopback: IPv4Address { IPv4Address(127, 0, 0, 1) }

  /// A multicast group: 224.0.0.0 to 239.255.255.255.
  @inlinable public var isMulticast: Bool { bits >> 28 == 0xE }

  /// Four decimal numbers with dots between them.
  public var description: String {
    [24, 16, 8, 0].map { String(UInt8(truncatingIfNeeded: bits >> UInt32($0))) }.joined(separator: ".")
  }
}

/// One end of a UDP flow.
@frozen public struct UDPEndpoint: BitwiseCopyable, Hashable, Sendable, CustomStringConvertible {
  /// A machine, or a multicast group.
  public var address: IPv4Address
  /// The port; 0 lets the system choose one.
  public var port: UInt16

  /// The port `port` of `address`.
  @inlinable public init(_ address: IPv4Address, port: UInt16) {
    self.address = address
    self.port = port
  }

  /// Address and port with a colon between them.
  public var description: String { "\(address):\(port)" }
}

/// Where multicast comes in or goes out.
public enum NetworkInterface: Hashable, Sendable, CustomStringConvertible {
  /// As the system's routes say.
  case systemChoice
  /// The interface of that name, such as `eth0`.
  case named(String)
  /// The interface with that address.
  case address(IPv4Address)

  /// For a message about it.
  public var description: String {
    switch self {
    case .systemChoice: "the system's choice of interface"
    case .named(let name): "interface \(name)"
    case .address(let address): "interface \(address)"
    }
  }
}
