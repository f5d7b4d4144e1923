internal import CNet
internal import CUring
internal import Glibc

/// The io_uring of a receiver, or none: multishot receives into the slots.
@safe struct ReceiveRing: ~Copyable {
  private let ring: OpaquePointer?
  // Keeps the memory that the kernel writes alive until the ring is closed.
  private let memory: PacketSlots?
  /// Whether a receive is with the kernel.
  private(set) var isArmed = false
  private var isEnabled = false

  /// No ring.
  init() {
    unsafe ring = nil
    memory = nil
  }

  /// A ring over `slots`, all of them provided.
  ///
  /// - Throws: the errno.
  init(over slots: PacketSlots, deferred: Bool) throws(Refusal) {
    var reason: Int32 = 0
    // The memory has 16 bytes a slot, is page-aligned and outlives the ring: the receiver owns both.
    let made = unsafe martlet_uring_receiver_open(slots.ring, UInt32(slots.count), deferred, &reason)
    guard let made = unsafe made else { throw Refusal(errorNumber: reason) }
    unsafe ring = made
    memory = slots
    for slot in 0..<slots.count { give(slot, of: slots) }
    publish()
  }

  deinit { if let ring = unsafe ring { unsafe martlet_uring_receiver_close(ring) } }

  struct Refusal: Error { var errorNumber: Int32 }

  var exists: Bool { unsafe ring != nil }

  /// Puts a receive with the kernel unless one is; the first time on the thread that is to own the ring. 0 or an errno.
  ///
  /// - Precondition: the ring exists.
  mutating func arm(socket: Int32, event: Int32) -> Int32 {
    if !isEnabled {
      var answer = unsafe martlet_uring_receiver_enable(ring!)
      if answer >= 0 { answer = unsafe martlet_uring_receiver_watch(ring!, event) }
      if answer < 0 { return -answer }
      isEnabled = true
    }
    let answer = unsafe martlet_uring_receiver_arm(
      ring!, socket, UInt32(martlet_net_name_bytes), UInt32(martlet_net_control_bytes))
    isArmed = answer >= 0
    return answer < 0 ? -answer : 0
  }

  /// The receive came back: it has to be armed again.
  mutating func disarmed() { isArmed = false }

  /// Takes completions into those of `slots`; how many.
  ///
  /// - Precondition: the ring exists, `0 <= limit <= slots.count`.
  func take(_ limit: Int, into slots: PacketSlots) -> Int {
    precondition(limit >= 0 && limit <= slots.count, "ReceiveRing: the completions have room")
    // In bounds: checked above.
    return Int(unsafe martlet_uring_receiver_take(ring!, slots.completions, UInt32(limit)))
  }

  /// The completion at `place` of those taken last.
  func completion(_ place: Int, of slots: PacketSlots) -> martlet_uring_completion {
    precondition(UInt(bitPattern: place) < UInt(bitPattern: slots.count), "ReceiveRing: the completion is in range")
    // In bounds: checked above.
    return unsafe slots.completions[place]
  }

  /// Provides a slot; at most as many as there are may be provided.
  func give(_ slot: Int, of slots: PacketSlots) {
    unsafe martlet_uring_receiver_give(
      ring!, UInt16(slot), slots.slot(slot), UInt32(slots.payloadBytesMax + martlet_net_payload_offset))
  }

  func publish() { unsafe martlet_uring_receiver_publish(ring!) }

  /// Sleeps until there is a completion, at most `nanoseconds` (nil: for ever). 0 or an errno.
  func wait(nanoseconds: UInt64?) -> Int32 {
    -(unsafe martlet_uring_receiver_wait(ring!, nanoseconds.map { Int64(clamping: $0) } ?? -1))
  }
}

/// What the kernel's io_uring can do for a receiver.
enum UringAbility: Hashable {
  /// Multishot receives; `deferred` where completions can wait for the owner to ask (Linux 6.1).
  case multishot(deferred: Bool)
  /// None, and the errno that said so.
  case none(errorNumber: Int32)

  /// What `try` finds out, which answers 0 or an errno, the better kind of ring first.
  static func found(try attempt: (_ deferred: Bool) -> Int32) -> UringAbility {
    var refusal = attempt(true)
    if refusal == 0 { return .multishot(deferred: true) }
    // Unknown flags are invalid to an older kernel.
    if refusal == EINVAL { refusal = attempt(false) }
    return refusal == 0 ? .multishot(deferred: false) : .none(errorNumber: refusal)
  }
}
