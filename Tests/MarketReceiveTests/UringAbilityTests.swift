import Glibc
import Testing

@testable import MarketReceive

// Goal: the way is chosen by what the kernel answers. Method: answers of kernels this one is not.

struct UringAbilityTests {
  @Test func `a kernel that can defer completions does`() {
    var tried: [Bool] = []
    let found = UringAbility.found {
      tried.append($0)
      return 0
    }
    #expect(found == .multishot(deferred: true))
    #expect(tried == [true])
  }

  @Test func `one that does not know the flag is asked without it`() {
    #expect(UringAbility.found { $0 ? EINVAL : 0 } == .multishot(deferred: false))
  }

  @Test func `one that knows no multishot receive gives none`() {
    #expect(UringAbility.found { _ in EINVAL } == .none(errorNumber: EINVAL))
  }

  @Test(arguments: [EPERM, ENOSYS, ENOMEM]) func `a refusal is not asked again`(errorNumber: Int32) {
    var count = 0
    let found = UringAbility.found { _ in
      count += 1
      return errorNumber
    }
    #expect(found == .none(errorNumber: errorNumber))
    #expect(count == 1)
  }
}
