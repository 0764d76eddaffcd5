"""What sign-on says in whole sentences, marked for translation; it is translated where it is shown (rendering.py).

The services below the pages know no languages. A sentence that is not here, or that nobody says any more, fails a
test; those with a number or a date in them are shown in English.
"""


def _mark(message: str) -> str:
    return message


N_ = _mark

SENTENCES = (
    N_("A sign-in name has 3 to 64 letters from a to z, digits, dots, hyphens or an e-mail address."),
    N_("This sign-in name is taken; please choose another one."),
    N_("There is an account for this person already. Sign in, or recover it."),
    N_("For this, please sign in again, with your second factor if you have one."),
    N_("The present password is not right."),
    N_("The present password is less than a day old; it can be changed again tomorrow."),
    N_("Your password was changed."),
    N_("The code is wrong. Is the time on your phone right?"),
    N_("An authenticator app was set up."),
    N_("New recovery codes were made; the old ones are void."),
    N_("There is no such authenticator app."),
    N_("An authenticator app was removed."),
    N_("There is no such passkey."),
    N_("A passkey was removed."),
    N_("It was your password before; please think of a new one."),
    N_("A passkey was set up."),
    N_("The passkey was not accepted. Please try again, or sign in another way."),
    N_("This passkey is in use already."),
    N_("It holds a name, number or date of yours; those are the first that others try."),
    N_("It is too easy to guess: common words, runs on the keyboard and repeats do not help."),
    N_("Too many people sign in at this moment; please try again."),
    N_("Two documents of different kinds are needed."),
    N_("Each document needs its issuer, in a few words."),
    N_("The code is wrong, was used already, or is more than three weeks old."),
    N_("Only registrars who signed in with a second factor may do this."),
    N_("Your account is Premium now."),
    N_("There is no open account of a person under this name."),
    N_("Nobody proofs themselves; please ask a colleague."),
    N_("The registry has no address for this account."),
    N_("A letter is on its way already. Please give it a few days."),
    N_("Our registry lists no eligibility for you."),
    N_("Our registry says that this person has died."),
    N_("You were signed out because nothing was done for a while."),
    N_("You were signed out because the longest time for one session was over."),
    N_("You were signed out because the account was locked or closed."),
    N_("You are not signed in."),
    N_("The sign-in name and the password do not belong together."),
    N_("The code is wrong, or was used already."),
    N_("This is none of your unused recovery codes."),
    N_("A recovery code was used to sign in. If it was not you, call us."),
    N_("A privilege cannot end before it begins."),
    N_("There is no such privilege."),
    N_("Only administrators who signed in with a second factor may do this."),
    N_("There is no such account."),
    N_("This account is closed."),
    N_("Nobody closes their own account; another administrator does that."),
    N_("Whoever takes over the work must have an open account of their own."),
    N_("This step took too long or was done already. Please begin again."),
    N_("The two passwords differ."),
    N_("Please write dates as 2031-03-31."),
    N_("There is no such page."),
    N_("This page does not take that."),
    N_("The form is too large."),
    N_("Please sign in first."),
    N_("Please finish what is asked of you first."),
    N_("This form is too old, or did not come from this site. Please open the page again."),
    N_("A letter with your code is on its way to your address of record."),
    N_("Please write dates as 2031-03-31, or leave them empty."),
    N_("Please write the date of birth as 1985-03-31."),
    N_("You were signed out."),
    N_("Please show once more who you are, with your second factor if you have one."),
    N_("You are signed out."),
    N_("You are signed out everywhere."),
    N_("Your new second factor is set up. Please sign in with it."),
)
