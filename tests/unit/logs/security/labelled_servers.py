"""What servers say of log-ins in words of their own, with what it says.

Written after what their sources print. `{U}` is a name, `{A}` an address, both of which a form carries whatever they are.
"""

from __future__ import annotations

#: With the program in the head of a line of syslog; each is understood without a head as well, in a log of the server's own.
OF_A_NAME = (
    ("LOGIN authenticator failed for (client) [{A}]: 535 Incorrect authentication data (set_id={U})", "failed", "exim"),
    ("plain_server authenticator failed for h.example ([198.51.100.1]) [{A}]:41556 I=[198.51.100.2]:25 Ci=7: "
     "535 Incorrect authentication data (set_id={U})", "failed", "exim4"),
    ("14NNx65Q065815: AUTH failure (LOGIN): authentication failure (-13) SASL(-13): checkpass failed, user={U}, "
     "relay=h.example [{A}] (may be forged)", "failed", "sm-mta"),
    ("badlogin: h.example [{A}] plaintext {U} SASL(-13): authentication failure: checkpass failed", "failed", "cyrus/imap"),
    ("badlogin: [{A}] CRAM-MD5 ({U}) [SASL(-13): authentication failure: incorrect digest response]",
     "failed", "cyrus/pop3s"),
    ("Login failed user={U} auth=x host=h.example [{A}]", "failed", "ipop3d"),
    ("Invalid login as {U} from {A}", "failed", "webmin"),
    ("Non-existent login as {U} from {A}", "failed", "webmin"),
    ("user denied: {U} (mysql-denied) from {A}", "failed", "phpMyAdmin"),
    ("IMAP Error: Login failed for {U} from {A}. AUTHENTICATE PLAIN: Authentication failed. in /x.php on line 7", "failed",
     "roundcube"),
    ("<crk9n97i> Failed login for {U} against imap.example from {A} in session z506z6 (error: 0)", "failed", "roundcube"),
    ("[vaultwarden::api::identity][ERROR] Username or password is incorrect. Try again. IP: {A}. Username: {U}.", "failed",
     "vaultwarden"),
    ("[INFO ] AUTHFAIL: user={U} ip={A} time=1649351466", "failed", "xrdp-sesman"),
    ("[Warning] Access denied for user '{U}'@'{A}' (using password: YES)", "failed", "mariadbd"),
    ("[Note] [MY-010926] [Server] Access denied for user '{U}'@'{A}' (using password: NO)", "failed", "mysqld"),
    ('FATAL:  no pg_hba.conf entry for host "{A}", user "{U}", database "shop", no encryption', "refused", "postgres"),
    ('[error] 7#7: *9 user "{U}": password mismatch, client: {A}, server: h.example, request: "GET / HTTP/1.1"',
     "failed", "nginx"),
    ('[error] 7#7: *9 user "{U}" was not found in "/etc/nginx/users", client: {A}, server: , request: "GET /, client: x"',
     "failed", "nginx"),
    ('[auth_basic:error] [pid 7:tid 8] [client {A}:51390] AH01617: user {U}: authentication failure for "/": Mismatch',
     "failed", "apache2"),
    ("[error] [client {A}] user {U} not found: /private, referer: http://h.example/", "failed", "httpd"),
    ("[auth_digest:error] [pid 7] [client {A}:51408] AH01790: user `{U}' in realm `r' not found: /", "failed", "apache2"),
    ("(mod_auth.c.853) password doesn't match for /private username: {U} IP: {A}", "failed", "lighttpd"),
    ("(mod_auth.c.791) digest: auth failed for  {U} : wrong password, IP: {A}", "failed", "lighttpd"),
    ("NOTICE[7]: chan_sip.c:28468 handle_request_register: Registration from '{U}' failed for '{A}' - Wrong password",
     "failed",
     "asterisk"),
    ('SECURITY[7] res_security_log.c: SecurityEvent="InvalidPassword",EventTV="1-2",Severity="Error",Service="SIP",'
     'EventVersion="2",AccountID="{U}",SessionID="0x8",LocalAddress="IPV4/UDP/198.51.100.1/5060",'
     'RemoteAddress="IPV4/UDP/{A}/5060",Challenge="x"', "failed", "asterisk"),
    ("Authentication failure for {U} from {A}", "failed", "wordpress(www.example.com)"),
    ("XML-RPC authentication failure for {U} from {A}", "failed", "wordpress"),
    ("Blocked authentication attempt for {U} from {A}", "refused", "wordpress"),
    ("https://h.example|1795867198|user|{A}|https://h.example/user|https://h.example/|0||Login attempt failed for {U}.",
     "failed", "drupal"),
    ("SCRAM-SHA-1 authentication failed for {U} on admin from client {A}:58428 ; UserNotFound: Could not find user x@admin",
     "failed", "mongod"),
    ("(tcp|<0.494.0>) Failed c2s PLAIN authentication for {U} from {A}: Invalid username or password", "failed", "ejabberd"),
    ("[error] [horde] FAILED LOGIN for {U} [{A}] to Horde [pid 7 on line 164 of \"/x/Auth.php\"]", "failed", "HORDE"),
    ("authentication failure; rhost=[{A}]:47414 user={U} msg=authentication error", "failed", "proxmox-backup-proxy"),
    ('[pid 7] [{U}] FAIL LOGIN: Client "{A}"', "failed", "vsftpd"),
    ("FTP LOGIN FAILED FROM {A}, {U}", "failed", "ftpd"),
    ("auth({U},{A},sasl:plain)<CvN+E95Uf4e7eEnj>: sql: Password mismatch (given password: x)", "failed", "dovecot"),
    ("imap-login: Login aborted: Inactivity (auth failed, 3 attempts in 9 secs) (auth_failed): user=<{U}>, method=PLAIN, "
     "rip={A}, lip=198.51.100.1, TLS", "failed", "dovecot"),
    ("pop3-login: Info: Aborted login (auth failed, 1 attempts in 2 secs): user=<{U}>, method=PLAIN, rip={A}",
     "failed", "dovecot"),
    ("Logon       Login failed for user '{U}'. Reason: Could not find a login matching the name provided. [CLIENT: {A}]",
     "failed", "sqlservr"),
    ("Failed Login: username={U} ip={A}", "failed", "gitlab"),
    ("HttpRequest: access denied -- client [{A}]: wrong password for user '{U}'", "failed", "monit"),
    ("HttpRequest: access denied -- client {A}: unknown user '{U}'", "failed", "monit"),
    ('WARNING: Authentication attempt from {A} for user "{U}" failed.', "failed", "tomcat"),
    ("SOGoRootPage Login from '{A}' for user '{U}' might not have worked - password policy: 65535  grace: -1  expire: -1  "
     "bound: 0", "failed", "sogod"),
    ("[{U}] failed to login from {A}", "failed", "znc"),
    ("[WARNING] sofia_reg.c:1792 SIP auth failure (REGISTER) on sofia profile 'internal' for [{U}] from ip {A}",
     "failed", "freeswitch"),
    ("[WARNING] sofia_reg.c:2889 Can't find user [{U}] from {A}", "failed", "freeswitch"),
    ("Failed authentication attempt for {U} from [{A}]:51234: user does not exist", "failed", "gitea"),
    ("\x1b[36m2026/11/27 02:14:53 \x1b[0m\x1b[32mrouters/user/auth.go:159:\x1b[32mSignInPost()\x1b[0m \x1b[1;32m[I]\x1b[0m "
     "Failed authentication attempt for \x1b[1m{U}\x1b[0m from \x1b[1m[{A}]:51234\x1b[0m: user does not exist", "failed",
     "forgejo"),
    ("[authz_owner:error] [pid 7:tid 8] [client {A}:51548] AH01637: Authorization of user {U} to access /private failed, "
     "reason: file owner dan does not match", "refused", "apache2"),
)  # fmt: skip
#: Forms that name nobody.
OF_NOBODY = (
    ("[vaultwarden::api::admin][ERROR] Invalid admin token. IP: {A}", "failed", "vaultwarden"),
    ("{A}:34791 TLS Auth Error: Auth Username/Password verification failed for peer", "failed", "openvpn"),
    ("failed login from h.example [{A}]", "failed", "wu-ftpd"),
    ("repeated login failures from {A} (h.example)", "failed", "ftpd"),
    ("warning: unknown[{A}]: SASL PLAIN authentication failed:", "failed", "postfix/smtpd"),
    ('45addba89269aeaa smtp event=failed-command address={A} host=h.example command="AUTH PLAIN (...)" '
     'result="535 Authentication failed"', "failed", "smtpd"),
    ("s1GNeNqe005178: h.example [{A}]: possible SMTP attack: command=AUTH, count=5", "refused", "sendmail"),
    ("[Bit.Core.IdentityServer.ResourceOwnerPasswordValidator] Failed login attempt. {A}", "failed", "Bitwarden-Identity"),
    ("Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication. [CLIENT: {A}]",
     "refused", "sqlservr"),
    ('SMTP protocol error in "AUTH LOGIN aW5mbw==" H=([127.0.0.1]) [{A}]:14243 I=[198.51.100.2]:587 AUTH command used when '
     "not advertised", "refused", "exim4"),
    ('SMTP protocol error in "AUTH PLAIN" H=h.example (u) [{A}] PLAIN authentication mechanism not supported', "refused",
     "exim"),
    ('38dd06274cde1fd7 smtp event=failed-command address={A} host=h.example command="AUTH LOGIN" '
     'result="503 5.5.1 Invalid command: Command not supported"', "refused", "smtpd"),
    ("badlogin: h.example[{A}] PLAIN authentication failure", "failed", "cyrus/timsieved"),
    ("HttpRequest: access denied -- client {A}: empty password", "failed", "monit"),
    ("[auth_basic:error] [pid 7:tid 8] [client {A}:51396] AH01614: client used wrong authentication scheme: /private",
     "refused", "apache2"),
    ("(http_auth.c.877) get_password failed, IP: {A}", "failed", "lighttpd"),
    ("{A}:55329 VERIFY ERROR: depth=2, error=unable to get issuer certificate: CN=x", "refused", "openvpn"),
)  # fmt: skip
#: Of these nobody failed.
OF_NOTHING = (
    ("warning: h[192.0.2.20]: SASL LOGIN authentication failed: Connection lost to authentication server", "postfix/smtpd"),
    ("warning: h[192.0.2.20]: SASL CRAM-MD5 authentication failed: Invalid authentication mechanism", "postfix/smtpd"),
    ("lost connection after AUTH from h.example[192.0.2.20]", "postfix/smtpd"),
    ("192.0.2.20:34791 TLS Error: TLS handshake failed", "openvpn"),
    ("Exit before auth from <192.0.2.20:46154>: Exited normally", "dropbear"),
    (
        "imap-login: Disconnected: Too many invalid commands. (no auth attempts in 0 secs): user=<>, rip=192.0.2.20",
        "dovecot",
    ),
    ('[error] 7#7: *9 open() "/srv/user" failed (2: No such file or directory), client: 192.0.2.20, server: h', "nginx"),
    ("[authz_core:error] [pid 7] [client 192.0.2.20:44271] AH01630: client denied by server configuration: /", "apache2"),
    ("User logged in: deploy", "vaultwarden"),
    (
        'SMTP protocol error in "AUTH LOGIN" H=(x) [192.0.2.20]" H=(y) [192.0.2.21] AUTH command used when not advertised',
        "exim4",
    ),
    (
        "[WARNING] sofia_reg.c:1533 SIP auth challenge (INVITE) on sofia profile 'internal' for [7@h] from ip 192.0.2.20",
        "freeswitch",
    ),
    ('Authentication attempt from [192.0.2.20, 192.0.2.21] for user "x" failed.', "tomcat"),
)
#: What auditd writes: the name as it does, what it is, whether the server knows it, the program's path and the result.
AUDIT = (
    "type={kind} msg=audit(1764244798.415:4063): pid=11998 uid=0 auid=4294967295 ses=4294967295 subj=sshd_t:s0 "
    "msg='op={op} acct={name} exe=\"{exe}\" hostname=? addr={A} terminal=ssh res={res}'"
)
