internal import CNet
internal import Glibc

extension NetworkError {
  /// The system refused `operation` on `subject` with the error `number`.
  init(_ operation: String, _ subject: String, _ number: Int32) {
    self = .refused(
      operation: operation, subject: subject, errorNumber: number, reason: unsafe String(cString: strerror(number)))
  }
}

/// A UDP socket that closes itself.
struct DatagramSocket: ~Copyable {
  let file: Int32
  /// For messages about it.
  let subject: String

  /// A socket without a name yet; `subject` stands in messages about it.
  init(subject: String) throws(NetworkError) {
    let opened = martlet_net_open()
    guard opened >= 0 else { throw NetworkError("socket", subject, -opened) }
    file = opened
    self.subject = subject
  }

  deinit { martlet_net_close(file) }

  func set(_ option: martlet_net_option, _ value: Int, called name: String) throws(NetworkError) {
    let answer = martlet_net_set(file, option, Int32(clamping: value))
    if answer < 0 { throw NetworkError(name, subject, -answer) }
  }

  /// The value of an option, or 0 where the system does not say.
  func value(of option: martlet_net_option) -> Int {
    var value: Int32 = 0
    return unsafe martlet_net_get(file, option, &value) < 0 ? 0 : Int(value)
  }

  func bind(to endpoint: UDPEndpoint) throws(NetworkError) {
    let answer = martlet_net_bind(file, endpoint.address.bits, endpoint.port)
    if answer < 0 { throw NetworkError("bind", subject, -answer) }
  }

  func connect(to endpoint: UDPEndpoint) throws(NetworkError) {
    let answer = martlet_net_connect(file, endpoint.address.bits, endpoint.port)
    if answer < 0 { throw NetworkError("connect", subject, -answer) }
  }

  func send(_ bytes: RawSpan, to endpoint: UDPEndpoint) throws(NetworkError) {
    let answer = unsafe bytes.withUnsafeBytes { buffer in
      // An empty span has no address; nothing is read of the stand-in.
      unsafe martlet_net_send_to(
        file, endpoint.address.bits, endpoint.port, buffer.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!,
        buffer.count)
    }
    if answer < 0 { throw NetworkError("sendto \(endpoint)", subject, -answer) }
  }

  func localEndpoint() throws(NetworkError) -> UDPEndpoint {
    var address: UInt32 = 0
    var port: UInt16 = 0
    let answer = unsafe martlet_net_local(file, &address, &port)
    if answer < 0 { throw NetworkError("getsockname", subject, -answer) }
    return UDPEndpoint(IPv4Address(bits: address), port: port)
  }

  func join(_ group: IPv4Address, on interface: NetworkInterface) throws(NetworkError) {
    let (address, index) = try place(of: interface)
    let answer = martlet_net_join(file, group.bits, address, index)
    if answer < 0 { throw NetworkError("join of group", "\(subject) on \(interface)", -answer) }
  }

  func sendMulticast(through interface: NetworkInterface) throws(NetworkError) {
    if interface == .systemChoice { return }
    let (address, index) = try place(of: interface)
    let answer = martlet_net_send_through(file, address, index)
    if answer < 0 { throw NetworkError("IP_MULTICAST_IF", "\(subject) on \(interface)", -answer) }
  }

  private func place(of interface: NetworkInterface) throws(NetworkError) -> (address: UInt32, index: Int32) {
    switch interface {
    case .systemChoice: return (0, 0)
    case .address(let address): return (address.bits, 0)
    case .named(let name):
      let index = unsafe martlet_net_interface(name)
      guard index > 0 else { throw NetworkError("look-up of the interface", "\(interface)", -index) }
      return (0, index)
    }
  }

  /// Datagrams dropped since the socket was opened, modulo 2^32, or nil where the system does not say.
  func drops() -> UInt32? {
    var drops: UInt32 = 0
    return unsafe martlet_net_drops(file, &drops) < 0 ? nil : drops
  }
}
